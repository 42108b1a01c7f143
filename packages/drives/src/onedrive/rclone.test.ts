import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTlsProxy, type TlsProxy } from "../../../simulators/src/drives/tls-proxy.ts";
import { rcloneEncoding } from "../remote/rclone-names.ts";
import { bodyOf, type Stage, stage, textOf } from "./testing.ts";

const command = process.env.OVERCOAT_TEST_RCLONE ?? "rclone";

/** Segments as S3 has them. */
const segments = [
  "plain.txt",
  "ä ö 日本 😀 #%&+;$'(1)",
  'a:b?*|<>"\\',
  " lead",
  "trail ",
  "end.",
  "x. ",
  "~tmp~",
  "~$lock.docx",
  "full：width",
  "␠picture",
  "q‛q‛",
  "．．",
];

/** A segment as a path of rclone has it. */
const { encode: told } = rcloneEncoding(["Slash", "Ctl", "Del", "Dot"]);

let made: Stage;
let proxy: TlsProxy;
let folder: string;

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(command, ["version"]);
  // Older versions send their token to upload sessions, too.
  const storageTokens = Number(/v1\.(\d+)/.exec(stdout)?.[1]) >= 70 ? "refuse" : "ignore";
  made = await stage({ storageTokens });
  const { server } = made;
  // The addresses of upload sessions are those of the stand-in itself, on this machine.
  proxy = await startTlsProxy({ "graph.microsoft.com": server.url, "login.microsoftonline.com": server.url });
  folder = await mkdtemp(join(tmpdir(), "overcoat-rclone-"));
  // Every version knows the service by its name only.
  const section = server.rcloneSection("od").replace(/^(auth_url|token_url|tenant_\w+) = .*\n/gm, "");
  await writeFile(join(folder, "rclone.conf"), section);
});
afterAll(async () => {
  await proxy?.close();
  await made?.[Symbol.asyncDispose]();
  if (folder) await rm(folder, { recursive: true, force: true });
});

async function rclone(...args: string[]): Promise<string> {
  const flags = ["--config", join(folder, "rclone.conf"), "--retries", "1"];
  const env = {
    ...process.env,
    SSL_CERT_FILE: proxy.ca,
    HTTPS_PROXY: proxy.url,
    HTTP_PROXY: undefined,
    NO_PROXY: undefined,
  };
  return (await promisify(execFile)(command, [...flags, ...args], { env, timeout: 60_000 })).stdout;
}

test("what rclone wrote has the names here that it has there", async () => {
  const { vendor, find } = made;
  const source = join(folder, "source");
  await mkdir(source);
  for (const segment of segments) await writeFile(join(source, told(segment)), segment);
  await rclone("copy", source, "od:theirs");
  const theirs = (await Array.fromAsync(vendor.children(await find("theirs")))).flat();
  const { decode, encode } = vendor.traits;
  expect(theirs.map(({ name }) => decode(name)).sort()).toEqual(segments.toSorted());
  for (const item of theirs) {
    expect(encode(decode(item.name))).toBe(item.name);
    expect(await textOf(vendor.read(item, 0, item.size))).toBe(decode(item.name));
  }
});

test("what is written here has the names there that it has here", async () => {
  const { vendor, root } = made;
  const ours = await vendor.makeFolder(root, "ours");
  for (const segment of segments)
    await vendor.upload({ folder: ours, name: vendor.traits.encode(segment)! }, bodyOf(segment));
  const listed = (await rclone("lsf", "od:ours")).split("\n").filter(Boolean);
  expect(listed.sort()).toEqual(segments.map(told).sort());
});
