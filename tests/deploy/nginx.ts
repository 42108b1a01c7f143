import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificate } from "../gateway.ts";

const file = new URL("../../deploy/nginx/overcoat.conf", import.meta.url);

/** nginx with deploy/nginx/overcoat.conf, on ports of its own. */
export interface Nginx extends AsyncDisposable {
  readonly port: number;
  /** PEM that clients must trust. */
  readonly ca: Buffer;
}

/** Starts nginx before a gateway at this port of loopback. */
export async function startNginx(gatewayPort: number): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), "overcoat-nginx-"));
  await mkdir(join(folder, "temporary"));
  const { cert, key } = await makeCertificate(folder);
  const [https, http] = await freePorts();
  const site = (await readFile(file, "utf8"))
    .replace("server 127.0.0.1:9000;", `server 127.0.0.1:${gatewayPort};`)
    .replaceAll("listen 443 ssl;", `listen 127.0.0.1:${https} ssl;`)
    .replaceAll("listen 80;", `listen 127.0.0.1:${http};`)
    .replaceAll(/^ *listen \[::\].*$/gm, "")
    .replaceAll(/ssl_certificate .*;/g, `ssl_certificate ${cert};`)
    .replaceAll(/ssl_certificate_key .*;/g, `ssl_certificate_key ${key};`);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/temporary/${name};`)
    .join(" ");
  await writeFile(
    join(folder, "nginx.conf"),
    `daemon off; pid ${folder}/nginx.pid; error_log stderr notice; worker_processes 1;
     ${process.getuid?.() === 0 ? "user root;" : ""}
     events { worker_connections 256; }
     http { access_log off; ${temporary} ${site} }`,
  );
  const nginx = process.env.OVERCOAT_TEST_NGINX ?? "nginx";
  const child = spawn(nginx, ["-p", folder, "-c", join(folder, "nginx.conf")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let output = "";
  child.stderr!.on("data", (chunk) => {
    output += chunk;
  });
  const stop = async () => {
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + 20_000;
  while (!(await answers(https!))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`nginx did not start:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { port: https!, ca: await readFile(cert), [Symbol.asyncDispose]: stop };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  child.kill("SIGTERM");
  await once(child, "close");
}

async function freePorts(): Promise<number[]> {
  const servers = [createServer(), createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    ports.push((server.address() as { port: number }).port);
  }
  for (const server of servers) await new Promise((done) => server.close(done));
  return ports;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
