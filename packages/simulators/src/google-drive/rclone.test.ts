import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTlsProxy, type TlsProxy } from "../drives/tls-proxy.ts";
import { type GoogleDriveServer, startGoogleDrive } from "./server.ts";

const command = process.env.OVERCOAT_TEST_RCLONE ?? "rclone";

describe.each(["My Drive", "a shared drive"])("rclone on %s", (where) => {
  let server: GoogleDriveServer;
  let proxy: TlsProxy;
  let folder: string;
  let source: string;

  beforeAll(async () => {
    server = await startGoogleDrive({ sharedDrives: ["Team"], files: { "there/before.txt": "before" } });
    // rclone knows the service by its names only.
    proxy = await startTlsProxy({
      "www.googleapis.com": server.url,
      "oauth2.googleapis.com": server.url,
      "accounts.google.com": server.url,
    });
    folder = await mkdtemp(join(tmpdir(), "overcoat-rclone-"));
    source = join(folder, "source");
    await mkdir(join(source, "deep/er"), { recursive: true });
    await writeFile(join(source, "a.txt"), "a");
    await writeFile(join(source, "deep/er/b + ü #%.txt"), "b");
    await writeFile(join(source, "deep/er/~q: 'a'? \\. "), "c");
    await writeFile(join(source, "empty"), "");
    await writeFile(join(source, "large.bin"), randomBytes(3 * 256 * 1024 + 1));
    await utimes(join(source, "a.txt"), 1_500_000_000, 1_500_000_000);
    const team = where === "My Drive" ? undefined : server.account.sharedDrives[0]!.id;
    const named = server.rcloneSection("gd", team).replace(/^(auth_url|token_url|root_url) = .*\n/gm, "");
    await writeFile(join(folder, "rclone.conf"), named);
  });

  afterAll(async () => {
    await proxy?.close();
    await server?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  async function rclone(...args: string[]): Promise<string> {
    const flags = [
      "--config",
      join(folder, "rclone.conf"),
      "--retries",
      "1",
      "--drive-pacer-min-sleep",
      "1ms",
    ];
    const chunks = [
      "--drive-chunk-size",
      "256Ki",
      "--drive-upload-cutoff",
      "512Ki",
      "--drive-list-chunk",
      "100",
    ];
    // Some of its calls do not know --ca-cert.
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
    expect(await listed("gd:")).toEqual(where === "My Drive" ? ["there/", "there/before.txt"] : []);
    await rclone("copy", source, "gd:copied");
    await rclone("check", source, "gd:copied");
    await rclone("check", "--download", source, "gd:copied");
    expect(await rclone("lsf", "--format", "tp", "--include", "a.txt", "gd:copied")).toMatch(/^2017-07-1/);
    const back = join(folder, "back");
    await rclone("copy", "gd:copied", back);
    await rclone("check", source, back);
    for (const name of ["large.bin", "deep/er/~q: 'a'? \\. "])
      expect(await readFile(join(back, name))).toEqual(await readFile(join(source, name)));
    expect(server.calls.entries.filter(({ status }) => status >= 400 && status !== 404)).toEqual([]);
    expect(server.calls.counts.calls).toMatchObject({ "POST resumable upload": 1, "POST session": 4 });
    expect(server.openSessions).toBe(0);
  });

  test("syncs, moves, copies on the drive and purges", async () => {
    await rclone("copy", source, "gd:synced");
    await rm(join(source, "deep/er/~q: 'a'? \\. "));
    await writeFile(join(source, "a.txt"), "changed");
    await writeFile(join(source, "large.bin"), randomBytes(3 * 256 * 1024 + 2));
    await writeFile(join(source, "new.txt"), "new");
    await rclone("sync", source, "gd:synced");
    await rclone("check", source, "gd:synced");
    await rclone("moveto", "gd:synced/a.txt", "gd:moved/here.txt");
    await rclone("moveto", "gd:synced/deep", "gd:moved/deep");
    await rclone("copyto", "gd:moved/here.txt", "gd:synced/a.txt");
    await rclone("copyto", "gd:synced/new.txt", "gd:synced/a.txt");
    expect(await rclone("cat", "gd:synced/a.txt")).toBe("new");
    expect(await rclone("cat", "--offset", "2", "--count", "3", "gd:moved/here.txt")).toBe("ang");
    expect(await listed("gd:moved")).toEqual(["deep/", "deep/er/", "deep/er/b + ü #%.txt", "here.txt"]);
    await rclone("purge", "gd:moved");
    await rclone("purge", "gd:synced");
    expect(await listed("gd:")).not.toContain("moved/");
  });

  test("refreshes its token and keeps its refresh token", async () => {
    const config = async () => readFile(join(folder, "rclone.conf"), "utf8");
    const before = await config();
    const expired = before.replace(/"expiry":"[^"]*"/, '"expiry":"2020-01-01T00:00:00Z"');
    await writeFile(join(folder, "rclone.conf"), expired);
    server.expireTokens();
    await rclone("lsf", "gd:");
    const refreshed = (text: string) => /"refresh_token":"([^"]*)"/.exec(text)?.[1];
    expect(refreshed(await config())).toBe(refreshed(before));
    expect(await config()).not.toContain('"expiry":"2020');
  });
});
