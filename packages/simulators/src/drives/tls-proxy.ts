import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { TLSSocket } from "node:tls";
import { promisify } from "node:util";

export interface TlsProxy extends AsyncDisposable {
  /** For `HTTPS_PROXY`. */
  readonly url: string;
  /** A file with the certificate that clients must trust. */
  readonly ca: string;
  close(): Promise<void>;
}

/**
 * Takes the place of https hosts, for clients that know no other address but do know proxies: what is sent to
 * one of them goes to a stand-in. Needs the `openssl` command.
 * @param hosts addresses of stand-ins by host, such as `{ "graph.microsoft.com": "http://127.0.0.1:4000" }`
 */
export async function startTlsProxy(hosts: Readonly<Record<string, string>>): Promise<TlsProxy> {
  const folder = await mkdtemp(join(tmpdir(), "overcoat-proxy-"));
  const ca = join(folder, "certificate.pem");
  const keyFile = join(folder, "key.pem");
  const names = Object.keys(hosts);
  await promisify(execFile)("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
    ...["-subj", "/CN=Stand-in", "-addext", `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`],
    ...["-keyout", keyFile, "-out", ca],
  ]);
  const [key, cert] = await Promise.all([readFile(keyFile), readFile(ca)]);
  const open = new Set<Socket>();
  const server = createServer((_, response) => response.writeHead(405).end());
  server.on("connect", ({ url = "" }, socket: Socket) => {
    const target = hosts[url.replace(/:443$/, "")];
    if (!target) {
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    const plain = new TLSSocket(socket, { isServer: true, key, cert });
    const { hostname, port } = new URL(target);
    const onward = connect(Number(port), hostname);
    for (const each of [socket, onward]) {
      open.add(each);
      each.once("close", () => open.delete(each));
    }
    pipeline(plain, onward, plain, () => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const close = async () => {
    for (const socket of open) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await rm(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, ca, close, [Symbol.asyncDispose]: close };
}
