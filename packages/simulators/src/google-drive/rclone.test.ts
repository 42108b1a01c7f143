import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRcloneStage, type RcloneStage } from "../drives/rclone.testing.ts";
import { type GoogleDriveServer, startGoogleDrive } from "./server.ts";

const odd = "~q: 'a'? \\. ";

describe.each(["My Drive", "a shared drive"])("rclone on %s", (where) => {
  let server: GoogleDriveServer;
  let stage: RcloneStage;

  beforeAll(async () => {
    server = await startGoogleDrive({ sharedDrives: ["Team"], files: { "there/before.txt": "before" } });
    const team = where === "My Drive" ? undefined : server.account.sharedDrives[0]!.id;
    const names = ["www.googleapis.com", "oauth2.googleapis.com", "accounts.google.com"];
    const sizes = ["--drive-chunk-size", "256Ki", "--drive-upload-cutoff", "512Ki"];
    stage = await openRcloneStage({
      hosts: Object.fromEntries(names.map((name) => [name, server.url])),
      section: server.rcloneSection("gd", team),
      flags: ["--drive-pacer-min-sleep", "1ms", ...sizes, "--drive-list-chunk", "100"],
      names: { plain: "b + ü #%.txt", odd },
      large: 3 * 256 * 1024 + 1,
    });
  });

  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
    await server?.close();
  });

  test("copies there and back, and finds no difference", async () => {
    expect(await stage.listed("gd:")).toEqual(where === "My Drive" ? ["there/", "there/before.txt"] : []);
    await stage.copyThereAndBack("gd:copied");
    expect(server.calls.entries.filter(({ status }) => status >= 400 && status !== 404)).toEqual([]);
    expect(server.calls.counts.calls).toMatchObject({ "POST resumable upload": 1, "POST session": 4 });
    expect(server.openSessions).toBe(0);
  });

  test("syncs, moves, copies on the drive and purges", async () => {
    const { source, rclone, listed } = stage;
    await rclone("copy", source, "gd:synced");
    await rm(join(source, "deep/er", odd));
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
    const { rclone, config } = stage;
    const before = await config();
    await stage.expireToken();
    server.expireTokens();
    await rclone("lsf", "gd:");
    const refreshed = (text: string) => /"refresh_token":"([^"]*)"/.exec(text)?.[1];
    expect(refreshed(await config())).toBe(refreshed(before));
    expect(await config()).not.toContain('"expiry":"2020');
  });
});
