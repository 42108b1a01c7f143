import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { overcoat, run, work } from "./overcoat.ts";

let folder: string;
let taken: Server;
beforeEach(async () => {
  folder = join(work, "drive");
  await mkdir(join(folder, "bucket"), { recursive: true });
  taken = createServer();
  await new Promise<void>((done) => taken.listen(0, "127.0.0.1", done));
});
afterEach(async () => {
  if (taken.listening) await new Promise((done) => taken.close(done));
});

/** The address of a port that is in use until `release`. */
const address = () => `127.0.0.1:${(taken.address() as { port: number }).port}`;
async function release(): Promise<string> {
  const free = address();
  await new Promise((done) => taken.close(done));
  return free;
}

const serve = (...args: string[]) =>
  overcoat(["serve", "s3", folder, "--data", join(work, "data"), "--no-fsync", ...args]);

/** Begins an upload of `hello world` and sends half of it; the rest is up to the test. */
async function beginUpload(where: string): Promise<Socket> {
  const [host, port] = where.split(":") as [string, string];
  const socket = connect(Number(port), host);
  await once(socket, "connect");
  socket.write(
    `PUT /bucket/k HTTP/1.1\r\nHost: ${where}\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n`,
  );
  const [head] = await once(socket, "data");
  expect(String(head)).toContain("100 Continue");
  socket.write("hello ");
  return socket;
}

const refused = (where: string) =>
  new Promise<boolean>((done) => {
    const [host, port] = where.split(":") as [string, string];
    const socket = connect(Number(port), host);
    socket.once("error", () => done(true));
    socket.once("connect", () => {
      socket.destroy();
      done(false);
    });
  });

describe.each([1, 2])("Ctrl-C with %i workers", (workers) => {
  test("lets a running upload finish, takes nothing new, and ends with 0", async () => {
    const where = await release();
    const { child, exit, printed } = serve("--addr", where, "--workers", String(workers));
    await printed("Serving");
    const socket = await beginUpload(where);
    process.kill(-child.pid!, "SIGINT");
    while (!(await refused(where))) await new Promise((done) => setTimeout(done, 20));
    socket.write("world");
    const [answer] = await once(socket, "data");
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await exit).toBe(0);
    expect(await readFile(join(folder, "bucket/k"), "utf8")).toBe("hello world");
    socket.destroy();
  });
});

test("a second Ctrl-C does not wait, and leaves nothing of the upload", async () => {
  const where = await release();
  const { child, exit, printed } = serve("--addr", where, "--workers", "2");
  await printed("Serving");
  const socket = await beginUpload(where);
  socket.on("error", () => {});
  const again = setInterval(() => process.kill(-child.pid!, "SIGINT"), 300);
  exit.finally(() => clearInterval(again));
  expect(await exit).toBe(1);
  await expect(readFile(join(folder, "bucket/k"))).rejects.toThrow("ENOENT");
  socket.destroy();
});

test("the block of rclone's users runs with overcoat in the place of rclone", async () => {
  const where = await release();
  await writeFile(
    join(work, "serve-onedrive.env"),
    `# rclone serve s3 flag file
RC_S3_REMOTE=${folder}
RC_S3_ADDR=${where}
RC_S3_REGION=us-east-1
RC_S3_ACCESS_KEY_ID=dynamic-ai
RC_S3_SECRET_ACCESS_KEY=super-secret-password
RC_S3_V2_AUTH=true
`,
  );
  const { printed } = run("bash", [
    "-c",
    `source ./serve-onedrive.env
overcoat serve s3 "$RC_S3_REMOTE" \\
  --addr "$RC_S3_ADDR" \\
  --region "$RC_S3_REGION" \\
  --access-key-id "$RC_S3_ACCESS_KEY_ID" \\
  --secret-access-key "$RC_S3_SECRET_ACCESS_KEY" \\
  --v2-auth`,
  ]);
  await printed("Serving");
  const s3 = new S3Client({
    endpoint: `http://${where}`,
    region: "us-east-1",
    credentials: { accessKeyId: "dynamic-ai", secretAccessKey: "super-secret-password" },
    forcePathStyle: true,
  });
  const { Buckets } = await s3.send(new ListBucketsCommand({}));
  expect(Buckets?.map(({ Name }) => Name)).toEqual(["bucket"]);
  s3.destroy();
});

test("a Unix socket is served, also over one that a crash left, and over nothing else", async () => {
  const socketPath = join(work, "s3.sock");
  const status = () =>
    new Promise<number | undefined>((done, failed) => {
      get({ socketPath, path: "/bucket" }, (response) => {
        response.resume();
        done(response.statusCode);
      }).on("error", failed);
    });
  const first = serve("--addr", socketPath, "--workers", "2");
  await first.printed(`Serving ${folder} as S3 on unix://${socketPath}`);
  expect(await status()).toBe(200);
  process.kill(-first.child.pid!, "SIGKILL");
  await first.exit;
  await expect(status()).rejects.toThrow("ECONNREFUSED");
  const second = serve("--addr", `unix://${socketPath}`, "--workers", "2");
  await second.printed("Serving");
  expect(await status()).toBe(200);
  const third = serve("--addr", socketPath, "--workers", "1");
  expect(await third.exit).toBe(1);
  expect(third.output()).toContain(`the address ${socketPath} is already in use`);
  const file = join(work, "file");
  await writeFile(file, "kept");
  expect(await serve("--addr", file, "--workers", "1").exit).toBe(1);
  expect(await readFile(file, "utf8")).toBe("kept");
});

test("rclone's usual flags are taken, and the log goes where they say", async () => {
  const where = await release();
  const log = join(work, "gateway.log");
  const usual =
    "--vfs-cache-mode full --vfs-cache-max-age=1h --bwlimit 10M --config /etc/rclone.conf -Pv --rc --rc-no-auth --etag-hash MD5 --log-level INFO --use-json-log --transfers 8 --no-checksum --dir-cache-time 5m --poll-interval 0";
  const { child, exit, output } = overcoat([
    ...["serve", "s3", folder, "--addr", where, "--auth-key", "user,password", "--baseurl", "s3/"],
    ...["--data", join(work, "data"), "--workers", "1", "--log-file", log, ...usual.split(" ")],
    ...["--admin-addr", "127.0.0.1:0", "--allow-origin", "https://app.example.com"],
  ]);
  while (!(await readFile(log, "utf8").catch(() => "")).includes("Serving")) {
    if (child.exitCode !== null) throw new Error(output());
    await new Promise((done) => setTimeout(done, 50));
  }
  const s3 = new S3Client({
    endpoint: `http://${where}/s3`,
    region: "us-east-1",
    credentials: { accessKeyId: "user", secretAccessKey: "password" },
    forcePathStyle: true,
  });
  await s3.send(new PutObjectCommand({ Bucket: "bucket", Key: "k", Body: "below a path" }));
  s3.destroy();
  const preflight = await fetch(`http://${where}/s3/bucket/k`, {
    method: "OPTIONS",
    headers: { origin: "https://app.example.com", "access-control-request-method": "PUT" },
  });
  expect(preflight.status).toBe(200);
  expect(preflight.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
  const stranger = { origin: "https://other.example.com", "access-control-request-method": "PUT" };
  expect((await fetch(`http://${where}/s3/bucket/k`, { method: "OPTIONS", headers: stranger })).status).toBe(
    403,
  );
  process.kill(-child.pid!, "SIGTERM");
  expect(await exit).toBe(0);
  expect(output()).toBe("");
  const entries = (await readFile(log, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(entries.map(({ msg }) => msg)).toContain("--bwlimit is NOT APPLIED: the bandwidth is not limited");
  expect(entries).toContainEqual(expect.objectContaining({ operation: "PutObject", status: 200 }));
  expect(await readFile(log, "utf8")).not.toContain("password");
});

test.each([
  [2, "no REMOTE given", ["serve", "s3"]],
  [
    2,
    "there is no remote onedrive: here. There are local: and plain folders",
    ["serve", "s3", "onedrive:", "--config", "none.conf"],
  ],
  [1, "/none does not exist", ["serve", "s3", "/none"]],
  [2, "without a key", ["serve", "s3", ".", "--addr", ":0"]],
  [2, "--auth-proxy keeps nobody out here", ["serve", "s3", ".", "--auth-proxy", "ask"]],
  [2, "overcoat: unknown option '--adr'\n(Did you mean --addr?)", ["serve", "s3", ".", "--adr", ":1"]],
  [2, "--transfers needs a value", ["serve", "s3", ".", "--transfers"]],
  [2, '--domain: "http://x" is no domain name', ["serve", "s3", ".", "--domain", "http://x"]],
  [1, "--cert: cannot read", ["serve", "s3", ".", "--cert", "none.pem", "--key", "none.pem"]],
  [1, "--log-file: cannot write", ["serve", "s3", ".", "--log-file", "/none/log"]],
  [0, "Usage: overcoat serve s3", ["serve", "s3", "--help"]],
])("ends with %i and says: %s", async (code, text, args) => {
  const { exit, output } = overcoat(args);
  expect(await exit).toBe(code);
  expect(output()).toContain(text);
  expect(output()).not.toMatch(/^ +at /m);
});

test.each(["1", "2"])("names the address that is in use, with %s workers", async (workers) => {
  const { exit, output } = serve("--addr", address(), "--workers", workers);
  expect(await exit).toBe(1);
  expect(output()).toContain(`the address ${address()} is already in use by another program`);
});

test("what the configuration says counts where no flag says otherwise", async () => {
  const config = 'export default { addr: "127.0.0.1:0", cleanup: false, workers: 1, logLevel: "INFO" };';
  await writeFile(join(work, "overcoat.config.ts"), config);
  await mkdir(join(folder, "bucket/folder"));
  await writeFile(join(folder, "bucket/folder/key"), "");
  const { printed, output } = serve();
  await printed("(1 worker)");
  const [url] = /http:\S+\d/.exec(output())!;
  expect((await fetch(`${url}/bucket/folder/key`, { method: "DELETE" })).status).toBe(204);
  await printed("DeleteObject");
  expect(await readdir(join(folder, "bucket"))).toEqual(["folder"]);
});
