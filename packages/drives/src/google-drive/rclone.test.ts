import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTlsProxy, type TlsProxy } from "../../../simulators/src/drives/tls-proxy.ts";
import { bodyOf, type Stage, stage, textOf } from "./testing.ts";

const command = process.env.OVERCOAT_TEST_RCLONE ?? "rclone";

/** Segments as S3 has them. */
const segments = [
  "plain.txt",
  "ä ö 日本 😀",
  "a／b",
  "a‛／b",
  " ~lead and trail. ",
  "'quoted' \\ \"twice\"",
  "a:b?*|<>#%&+;$",
  "．．",
  "full：width",
  "{id}.ext",
  "CON",
];

/** A segment as a path of rclone has it, to which full-width dots are quoted, as it writes them for dots. */
const told = (segment: string) => (segment === "．．" ? "‛．‛．" : segment);

let made: Stage;
let proxy: TlsProxy;
let folder: string;

beforeAll(async () => {
  made = await stage();
  proxy = await startTlsProxy({ "www.googleapis.com": made.server.url });
  folder = await mkdtemp(join(tmpdir(), "overcoat-rclone-"));
  await writeFile(join(folder, "rclone.conf"), made.server.rcloneSection("gd"));
});
afterAll(async () => {
  await proxy?.close();
  await made?.[Symbol.asyncDispose]();
  if (folder) await rm(folder, { recursive: true, force: true });
});

async function rclone(...args: string[]): Promise<string> {
  const flags = ["--config", join(folder, "rclone.conf"), "--retries", "1", "--drive-pacer-min-sleep", "1ms"];
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
  await rclone("copy", source, "gd:theirs");
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
  const listed = (await rclone("lsf", "gd:ours")).split("\n").filter(Boolean);
  expect(listed.sort()).toEqual(segments.map(told).sort());
  for (const segment of segments) expect(await rclone("cat", `gd:ours/${told(segment)}`)).toBe(segment);
});
