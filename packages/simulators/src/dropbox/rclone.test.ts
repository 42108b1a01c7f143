import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRcloneStage, type RcloneStage } from "../drives/rclone.testing.ts";
import { type DropboxServer, startDropbox } from "./server.ts";

describe("rclone", () => {
  let server: DropboxServer;
  let stage: RcloneStage;

  beforeAll(async () => {
    server = await startDropbox({
      team: true,
      takesUtf8Headers: true,
      commitTime: 5,
      files: { "there/before.txt": "before" },
    });
    stage = await openRcloneStage({
      hosts: {
        "api.dropboxapi.com": server.url,
        "content.dropboxapi.com": server.contentUrl,
        "notify.dropboxapi.com": server.notifyUrl,
      },
      section: server.rcloneSection("dropbox"),
      flags: ["--dropbox-chunk-size", "1Mi"],
      names: { plain: "b + ü #% \u{1F9E5}.txt", odd: "~q: a\\b? \u007f " },
      large: 3 * 1024 * 1024 + 1,
    });
  });

  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
    await server?.close();
  });

  test("copies there and back, and finds no difference", async () => {
    expect(await stage.listed("dropbox:")).toEqual(["there/", "there/before.txt"]);
    await stage.copyThereAndBack("dropbox:copied");
    // Nothing was refused for a reason other than that it was not there.
    const refused = server.calls.entries.filter(({ status }) => status >= 400 && status !== 409);
    expect(refused).toEqual([]);
    expect(server.openSessions).toBe(0);
  });

  test("syncs, moves, copies in the Dropbox and purges", async () => {
    const { source, rclone, listed } = stage;
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
    const { rclone, config } = stage;
    const before = await config();
    await stage.expireToken();
    server.expireTokens();
    expect(await rclone("lsf", "dropbox:there")).toBe("before.txt\n");
    expect(await config()).not.toBe(before);
    // A slash in front asks for the root of the team's space.
    expect(await rclone("lsf", "dropbox:/")).toBe("Stand-in User/\n");
  });
});
