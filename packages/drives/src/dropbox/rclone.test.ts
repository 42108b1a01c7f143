import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startTlsProxy } from "@overcoat/simulators";
import { expect, test } from "vitest";
import { rcloneEncoding } from "../remote/rclone-names.ts";
import { bodyOf, stage, textOf } from "./testing.ts";

const command = process.env.OVERCOAT_TEST_RCLONE ?? "rclone";
/** How names stand in a folder on Linux. */
const local = rcloneEncoding(["Slash", "Dot"]);

const segments = [
  ...["plain", "a\\b", "a＼b", "trail ", "trail␠", " lead", "end.", "del\u007f", "del␡", "q‛q", "tab\there"],
  ...["a␉b", "x／y", "..", "．．", 'a:b?*|<>"', "~$x", "é", "e\u0301x", "\u{1F9E5}", "% #&+"],
];

test("names are those of rclone, both ways", async () => {
  await using made = await stage({ takesUtf8Headers: true });
  const { vendor, root, server } = made;
  await using proxy = await startTlsProxy({
    "api.dropboxapi.com": server.url,
    "content.dropboxapi.com": server.contentUrl,
    "notify.dropboxapi.com": server.notifyUrl,
  });
  const folder = await mkdtemp(join(tmpdir(), "overcoat-rclone-"));
  try {
    const config = join(folder, "rclone.conf");
    await writeFile(config, server.rcloneSection("dropbox").replace(/^\w+_url = .*\n/gm, ""));
    const rclone = (...args: string[]) =>
      promisify(execFile)(command, ["--config", config, "--retries", "1", ...args], {
        env: { ...process.env, SSL_CERT_FILE: proxy.ca, HTTPS_PROXY: proxy.url, NO_PROXY: undefined },
        timeout: 60_000,
      });
    const theirs = join(folder, "theirs");
    await mkdir(theirs);
    for (const segment of segments) await writeFile(join(theirs, local.encode(segment)), segment);
    await rclone("copy", theirs, "dropbox:theirs");
    const ours = await vendor.makeFolder(root, "ours");
    for (const segment of segments)
      await vendor.upload({ folder: ours, name: vendor.traits.encode(segment)! }, bodyOf(segment));
    const listed = (await Array.fromAsync(vendor.children((await vendor.find(["theirs"]))!))).flat();
    expect(listed.map(({ name }) => vendor.traits.decode(name)).sort()).toEqual([...segments].sort());
    for (const item of listed)
      expect(await textOf(vendor.read(item, 0, item.size))).toBe(vendor.traits.decode(item.name));
    await rclone("copy", "dropbox:ours", join(folder, "ours"));
    const names = await readdir(join(folder, "ours"));
    expect(names.map(local.decode).sort()).toEqual([...segments].sort());
    for (const name of names)
      expect(await readFile(join(folder, "ours", name), "utf8")).toBe(local.decode(name));
    // Each sees the other's as its own.
    await rclone("check", "dropbox:ours", "dropbox:theirs");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
