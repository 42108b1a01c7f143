import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTlsProxy, type TlsProxy } from "../drives/tls-proxy.ts";
import type { DriveType } from "./options.ts";
import { type OneDriveServer, startOneDrive } from "./server.ts";

const command = process.env.OVERCOAT_TEST_RCLONE ?? "rclone";
const types: DriveType[] = ["personal", "business", "documentLibrary"];

describe.each(types)("rclone on a %s drive", (driveType) => {
  let server: OneDriveServer;
  let proxy: TlsProxy;
  let folder: string;
  let source: string;
  let strict: boolean;

  beforeAll(async () => {
    // Older versions send their token to upload sessions, too.
    const { stdout } = await promisify(execFile)(command, ["version"]);
    strict = Number(/v1\.(\d+)/.exec(stdout)?.[1]) >= 70;
    const storageTokens = strict ? "refuse" : "ignore";
    const storageOrigin = "https://stand-in.1drv.com";
    server = await startOneDrive({
      driveType,
      storageTokens,
      storageOrigin,
      files: { "there/before.txt": "before" },
    });
    // Every version of rclone knows the service by its names only; newer ones could do without the proxy.
    proxy = await startTlsProxy({
      "graph.microsoft.com": server.url,
      "login.microsoftonline.com": server.url,
      "stand-in.1drv.com": server.storageUrl,
    });
    folder = await mkdtemp(join(tmpdir(), "overcoat-rclone-"));
    source = join(folder, "source");
    await mkdir(join(source, "deep/er"), { recursive: true });
    await writeFile(join(source, "a.txt"), "a");
    await writeFile(join(source, "deep/er/b + ü #%.txt"), "b");
    await writeFile(join(source, "deep/er/~q: a?. "), "c");
    await writeFile(join(source, "empty"), "");
    await writeFile(join(source, "large.bin"), randomBytes(3 * 320 * 1024 + 1));
    await utimes(join(source, "a.txt"), 1_500_000_000, 1_500_000_000);
    const named = server.rcloneSection("onedrive").replace(/^(auth_url|token_url|tenant_\w+) = .*\n/gm, "");
    await writeFile(join(folder, "rclone.conf"), named);
  });

  afterAll(async () => {
    await proxy?.close();
    await server?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  async function rclone(...args: string[]): Promise<string> {
    const flags = ["--config", join(folder, "rclone.conf"), "--retries", "1"];
    const chunks = ["--onedrive-chunk-size", "320Ki", "--onedrive-list-chunk", "3"];
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
    expect(await listed("onedrive:")).toEqual(["there/", "there/before.txt"]);
    await rclone("copy", source, "onedrive:copied");
    await rclone("check", source, "onedrive:copied");
    await rclone("check", "--download", source, "onedrive:copied");
    expect(await rclone("lsf", "--format", "tp", "--include", "a.txt", "onedrive:copied")).toMatch(
      /^2017-07-1/,
    );
    const back = join(folder, "back");
    await rclone("copy", "onedrive:copied", back);
    await rclone("check", source, back);
    for (const name of ["large.bin", "deep/er/~q: a?. "])
      expect(await readFile(join(back, name))).toEqual(await readFile(join(source, name)));
    // Nothing was refused for a reason other than that it was not there.
    const refused = server.calls.entries.filter(({ status }) => status >= 400 && status !== 404);
    expect(refused).toEqual([]);
    expect(server.openSessions).toBe(0);
  });

  test("syncs, moves, copies on the drive and purges", async () => {
    await rclone("copy", source, "onedrive:synced");
    await rm(join(source, "deep/er/~q: a?. "));
    await writeFile(join(source, "a.txt"), "changed");
    await writeFile(join(source, "new.txt"), "new");
    await rclone("sync", source, "onedrive:synced");
    await rclone("check", source, "onedrive:synced");
    await rclone("moveto", "onedrive:synced/a.txt", "onedrive:moved/here.txt");
    await rclone("moveto", "onedrive:synced/deep", "onedrive:moved/deep");
    await rclone("copyto", "onedrive:moved/here.txt", "onedrive:synced/a.txt");
    // Older versions count on personal drives to replace, which these do not.
    if (strict || driveType !== "personal") {
      await rclone("copyto", "onedrive:synced/new.txt", "onedrive:synced/a.txt");
      expect(await rclone("cat", "onedrive:synced/a.txt")).toBe("new");
    }
    expect(await rclone("cat", "--offset", "2", "--count", "3", "onedrive:moved/here.txt")).toBe("ang");
    expect(await listed("onedrive:moved")).toEqual(["deep/", "deep/er/", "deep/er/b + ü #%.txt", "here.txt"]);
    await rclone("purge", "onedrive:moved");
    await rclone("purge", "onedrive:synced");
    expect(await listed("onedrive:")).not.toContain("moved/");
  });

  test("refreshes its token and keeps the new refresh token", async () => {
    const config = async () => readFile(join(folder, "rclone.conf"), "utf8");
    const before = await config();
    const expired = before.replace(/"expiry":"[^"]*"/, '"expiry":"2020-01-01T00:00:00Z"');
    await writeFile(join(folder, "rclone.conf"), expired);
    server.expireTokens();
    expect(await rclone("lsf", "onedrive:there")).toBe("before.txt\n");
    const refreshed = /"refresh_token":"([^"]*)"/;
    expect(refreshed.exec(await config())?.[1]).not.toBe(refreshed.exec(before)?.[1]);
  });
});
