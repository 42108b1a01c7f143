import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GetObjectCommand, ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type OneDriveServer, startOneDrive } from "@overcoat/simulators";
import { afterEach, beforeEach, expect, test } from "vitest";
import { overcoat, work } from "./overcoat.ts";

let server: OneDriveServer;
let config: string;
beforeEach(async () => {
  server = await startOneDrive({
    clientId: "mine",
    clientSecret: "secret",
    files: { "datasets/a.csv": "a", "photos/2026/b": "b" },
  });
  config = join(work, "rclone.conf");
  await writeFile(config, `# mine\n${server.rcloneSection("onedrive")}`);
});
afterEach(() => server?.close());

const keys = {
  RC_S3_ACCESS_KEY_ID: "dynamic-ai",
  RC_S3_SECRET_ACCESS_KEY: "super-secret-password",
};

/** Serves as the environment says, and gives a client of it. */
async function serve(env: NodeJS.ProcessEnv, ...args: string[]) {
  const gateway = overcoat(["serve", "s3", ...args, "--data", join(work, "data")], {
    ...keys,
    RC_S3_ADDR: "127.0.0.1:0",
    ...env,
  });
  await gateway.printed("as S3 on http");
  const endpoint = /as S3 on (http:\S+?)[,\s]/.exec(gateway.output())![1];
  const credentials = { accessKeyId: "dynamic-ai", secretAccessKey: "super-secret-password" };
  const s3 = new S3Client({ endpoint, region: "us-east-1", credentials, forcePathStyle: true });
  return { gateway, s3, [Symbol.dispose]: () => s3.destroy() };
}

const text = async (s3: S3Client, Bucket: string, Key: string) =>
  (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString();

test("the remote of an rclone.conf, its folders as buckets, by the environment alone", async () => {
  server.expireTokens();
  using served = await serve({ RC_S3_REMOTE: "onedrive:", RC_S3_V2_AUTH: "true", RCLONE_CONFIG: config });
  const { gateway, s3 } = served;
  expect(gateway.output()).toContain("Serving onedrive: as S3 on");
  const { Buckets } = await s3.send(new ListBucketsCommand({}));
  expect(Buckets?.map(({ Name }) => Name)).toEqual(["datasets", "photos"]);
  await s3.send(new PutObjectCommand({ Bucket: "datasets", Key: "new/train.csv", Body: "id,label\n" }));
  expect(await text(s3, "datasets", "new/train.csv")).toBe("id,label\n");
  expect(await text(s3, "datasets", "a.csv")).toBe("a");
  // The processes renewed the token once, and kept it where rclone finds it.
  expect(server.calls.counts.calls["POST token"]).toBe(1);
  const kept = await readFile(config, "utf8");
  expect(kept.replace(/^token = .*$/m, "")).toBe(
    `# mine\n${server.rcloneSection("onedrive")}`.replace(/^token = .*$/m, ""),
  );
  const { access_token } = JSON.parse(/^token = (.*)$/m.exec(kept)![1]!);
  const reply = await fetch(`${server.url}/v1.0/me`, {
    headers: { authorization: `Bearer ${access_token}` },
  });
  expect(reply.status).toBe(200);
  await reply.arrayBuffer();
  process.kill(-gateway.child.pid!, "SIGTERM");
  expect(await gateway.exit).toBe(0);
  expect(gateway.output()).not.toMatch(/Error|ERROR|super-secret|refresh_token/);
});

test("a folder of the remote, and one as a bucket beside it", async () => {
  await writeFile(
    join(work, "overcoat.config.ts"),
    `export default { remotes: { mine: "onedrive:" }, buckets: { "data-of-others": "mine:datasets" } };`,
  );
  using served = await serve({}, "onedrive:photos", "--config", config, "--workers", "1", "--read-only");
  const { s3 } = served;
  const { Buckets } = await s3.send(new ListBucketsCommand({}));
  expect(Buckets?.map(({ Name }) => Name)).toEqual(["2026", "data-of-others"]);
  expect(await text(s3, "data-of-others", "a.csv")).toBe("a");
  expect(await text(s3, "2026", "b")).toBe("b");
  const put = s3.send(new PutObjectCommand({ Bucket: "2026", Key: "x", Body: "x" }));
  await expect(put).rejects.toThrow();
});

test.each([
  ["is of the type mega, which Overcoat does not serve", "[onedrive]\ntype = mega\n"],
  ["drive_id is missing", '[onedrive]\ntype = onedrive\ntoken = {"access_token":"x"}\n'],
  ['is not signed in: run "overcoat login onedrive onedrive"', "[onedrive]\ntype = onedrive\n"],
  ["is encrypted with rclone's configuration password", "RCLONE_ENCRYPT_V0:\nAAAA\n"],
])("says what is wrong: %s", async (told, section) => {
  await writeFile(config, section);
  const args = ["serve", "s3", "onedrive:", "--config", config, "--workers", "1"];
  const { exit, output } = overcoat(args, { HOME: work });
  expect(await exit).toBe(1);
  expect(output()).toContain(told);
  expect(output()).not.toMatch(/^ +at /m);
});

test("a sign-in that was taken back is told at the start", async () => {
  server.revokeTokens();
  const { exit, output } = overcoat(["serve", "s3", "onedrive:", "--config", config, "--workers", "1"], {
    HOME: work,
  });
  expect(await exit).toBe(1);
  expect(output()).toMatch(/onedrive: cannot be served: the sign-in of onedrive: has ended .*overcoat login/);
});
