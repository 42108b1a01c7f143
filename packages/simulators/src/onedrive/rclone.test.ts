import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRcloneStage, type RcloneStage, rcloneMinor } from "../drives/rclone.testing.ts";
import type { DriveType } from "./options.ts";
import { type OneDriveServer, startOneDrive } from "./server.ts";

const types: DriveType[] = ["personal", "business", "documentLibrary"];
const odd = "~q: a?. ";

describe.each(types)("rclone on a %s drive", (driveType) => {
  let server: OneDriveServer;
  let stage: RcloneStage;
  let strict: boolean;

  beforeAll(async () => {
    // Older versions send their token to upload sessions, too.
    strict = (await rcloneMinor()) >= 70;
    server = await startOneDrive({
      driveType,
      storageTokens: strict ? "refuse" : "ignore",
      storageOrigin: "https://stand-in.1drv.com",
      files: { "there/before.txt": "before" },
    });
    stage = await openRcloneStage({
      hosts: {
        "graph.microsoft.com": server.url,
        "login.microsoftonline.com": server.url,
        "stand-in.1drv.com": server.storageUrl,
      },
      section: server.rcloneSection("onedrive"),
      flags: ["--onedrive-chunk-size", "320Ki", "--onedrive-list-chunk", "3"],
      names: { plain: "b + ü #%.txt", odd },
      large: 3 * 320 * 1024 + 1,
    });
  });

  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
    await server?.close();
  });

  test("copies there and back, and finds no difference", async () => {
    expect(await stage.listed("onedrive:")).toEqual(["there/", "there/before.txt"]);
    await stage.copyThereAndBack("onedrive:copied");
    // Nothing was refused for a reason other than that it was not there.
    const refused = server.calls.entries.filter(({ status }) => status >= 400 && status !== 404);
    expect(refused).toEqual([]);
    expect(server.openSessions).toBe(0);
  });

  test("syncs, moves, copies on the drive and purges", async () => {
    const { source, rclone, listed } = stage;
    await rclone("copy", source, "onedrive:synced");
    await rm(join(source, "deep/er", odd));
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
    const { rclone, config } = stage;
    const before = await config();
    await stage.expireToken();
    server.expireTokens();
    expect(await rclone("lsf", "onedrive:there")).toBe("before.txt\n");
    const refreshed = /"refresh_token":"([^"]*)"/;
    expect(refreshed.exec(await config())?.[1]).not.toBe(refreshed.exec(before)?.[1]);
  });
});
