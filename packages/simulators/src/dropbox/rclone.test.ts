import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTlsProxy, type TlsProxy } from "../drives/tls-proxy.ts";
import { type DropboxServer, startDropbox } from "./server.ts";

const command = process.env.OVERCOAT_TEST_RCLONE ?? "rclone";
describe("rclone", () => {
  let server: DropboxServer;
  let proxy: TlsProxy;
  let folder: string;
  let source: string;

  beforeAll(async () => {
    server = await startDropbox({
      team: true,
      takesUtf8Headers: true,
      commitTime: 5,
      files: { "there/before.txt": "before" },
    });
    // rclone knows the service by its names only.
    proxy = await startTlsProxy({
      "api.dropboxapi.com": server.url,
      "content.dropboxapi.com": server.contentUrl,
      "notify.dropboxapi.com": server.notifyUrl,
    });
    folder = await mkdtemp(join(tmpdir(), "overcoat-rclone-"));
    source = join(folder, "source");
    await mkdir(join(source, "deep/er"), { recursive: true });
    await writeFile(join(source, "a.txt"), "a");
    await writeFile(join(source, "deep/er/b + ü #% \u{1F9E5}.txt"), "b");
    await writeFile(join(source, "deep/er/~q: a\\b? \u007f "), "c");
    await writeFile(join(source, "empty"), "");
    await writeFile(join(source, "large.bin"), randomBytes(3 * 1024 * 1024 + 1));
    await utimes(join(source, "a.txt"), 1_500_000_000, 1_500_000_000);
    const named = server.rcloneSection("dropbox").replace(/^(\w+_url) = .*\n/gm, "");
    await writeFile(join(folder, "rclone.conf"), named);
  });

  afterAll(async () => {
    await proxy?.close();
    await server?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  async function rclone(...args: string[]): Promise<string> {
    const flags = ["--config", join(folder, "rclone.conf"), "--retries", "1"];
    const chunks = ["--dropbox-chunk-size", "1Mi"];
    const env = {
      ...process.env,
      SSL_CERT_FILE: proxy.ca,
      HTTPS_PROXY: proxy.url,
      HTTP_PROXY: undefined,
      NO_PROXY: undefined,
    };
    const { stdout } = await promisify(execFile)(command, [...flags, ...chunks, ...args], {
      env,
      timeout: 60_000,
    });
    return stdout;
  }
  const listed = async (remote: string) =>
    (await rclone("lsf", "-R", remote)).split("\n").filter(Boolean).sort();

  test("copies there and back, and finds no difference", async () => {
    expect(await listed("dropbox:")).toEqual(["there/", "there/before.txt"]);
    await rclone("copy", source, "dropbox:copied");
    await rclone("check", source, "dropbox:copied");
    await rclone("check", "--download", source, "dropbox:copied");
    const time = await rclone("lsf", "--format", "tp", "--include", "a.txt", "dropbox:copied");
    expect(time).toMatch(/^2017-07-1/);
    const back = join(folder, "back");
    await rclone("copy", "dropbox:copied", back);
    await rclone("check", source, back);
    for (const name of ["large.bin", "deep/er/~q: a\\b? \u007f "])
      expect(await readFile(join(back, name))).toEqual(await readFile(join(source, name)));
    // Nothing was refused for a reason other than that it was not there.
    const refused = server.calls.entries.filter(({ status }) => status >= 400 && status !== 409);
    expect(refused).toEqual([]);
    expect(server.openSessions).toBe(0);
  });

  test("syncs, moves, copies in the Dropbox and purges", async () => {
    for (const mode of ["off", "sync"]) {
      await rclone("--dropbox-batch-mode", mode, "copy", source, "dropbox:synced");
      await writeFile(join(source, "a.txt"), `changed ${mode}`);
      await writeFile(join(source, "new.txt"), mode);
      await rclone("--dropbox-batch-mode", mode, "sync", source, "dropbox:synced");
      await rclone("check", source, "dropbox:synced");
    }
    await rclone("moveto", "dropbox:synced/a.txt", "dropbox:moved/here.txt");
    await rclone("moveto", "dropbox:synced/deep", "dropbox:moved/deep");
    await rclone("copyto", "dropbox:synced/new.txt", "dropbox:synced/a.txt");
    expect(await rclone("cat", "dropbox:synced/a.txt")).toBe("sync");
    expect(await rclone("cat", "--offset", "2", "--count", "3", "dropbox:moved/here.txt")).toBe("ang");
    expect(await listed("dropbox:moved")).toContain("deep/er/b + ü #% \u{1F9E5}.txt");
    await rclone("purge", "dropbox:moved");
    await rclone("purge", "dropbox:synced");
    expect(await listed("dropbox:")).not.toContain("moved/");
    expect(JSON.parse(await rclone("about", "--json", "dropbox:"))).toMatchObject({ total: 2 ** 41 });
  });

  test("refreshes its token", async () => {
    const file = join(folder, "rclone.conf");
    const before = await readFile(file, "utf8");
    await writeFile(file, before.replace(/"expiry":"[^"]*"/, '"expiry":"2020-01-01T00:00:00Z"'));
    server.expireTokens();
    expect(await rclone("lsf", "dropbox:there")).toBe("before.txt\n");
    expect(await readFile(file, "utf8")).not.toBe(before);
    // A slash in front asks for the root of the team's space.
    expect(await rclone("lsf", "dropbox:/")).toBe("Stand-in User/\n");
  });
});
