import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConfigFile, defaultConfigFile } from "./config-file.ts";
import { findRemote, listRemotes, splitRemote } from "./remotes.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "overcoat-remotes-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("the file is looked for where rclone does", async () => {
  const env = { HOME: folder };
  const made = join(folder, ".config", "rclone", "rclone.conf");
  expect(defaultConfigFile(env)).toBe(made);
  await writeFile(join(folder, ".rclone.conf"), "");
  expect(defaultConfigFile(env)).toBe(join(folder, ".rclone.conf"));
  await mkdir(join(folder, ".config", "rclone"), { recursive: true });
  await writeFile(made, "");
  expect(defaultConfigFile(env)).toBe(made);
  const xdg = join(folder, "xdg");
  expect(defaultConfigFile({ HOME: join(folder, "none"), XDG_CONFIG_HOME: xdg })).toBe(
    join(xdg, "rclone", "rclone.conf"),
  );
  expect(defaultConfigFile({ ...env, RCLONE_CONFIG: "/etc/rclone.conf" })).toBe("/etc/rclone.conf");
});

test("the environment stands before the file, and may name remotes of its own", async () => {
  const file = new ConfigFile(join(folder, "rclone.conf"));
  await writeFile(
    file.path,
    "[My Drive]\ntype = drive\nclient_id = a\nscope = drive\n\n[half]\nclient_id = a\n",
  );
  const env = {
    "RCLONE_CONFIG_MY DRIVE_CLIENT_ID": "b",
    RCLONE_DRIVE_CLIENT_ID: "c",
    RCLONE_DRIVE_ROOT_FOLDER_ID: "root",
    RCLONE_CONFIG_BOX_TYPE: "dropbox",
  };
  expect(await findRemote(file, "My Drive", env)).toEqual({
    name: "My Drive",
    type: "drive",
    options: { type: "drive", client_id: "b", scope: "drive", root_folder_id: "root" },
    overridden: ["client_id", "root_folder_id"],
  });
  expect((await findRemote(file, "box", env))?.type).toBe("dropbox");
  expect(await findRemote(file, "nowhere", env)).toBeUndefined();
  await expect(findRemote(file, "half", env)).rejects.toThrow("half: in");
  expect((await listRemotes(file, env)).map(({ name, type }) => `${name}: ${type}`)).toEqual([
    "My Drive: drive",
    "box: dropbox",
  ]);
  expect(await listRemotes(new ConfigFile(join(folder, "none")), {})).toEqual([]);
});

test("remotes are told from folders", () => {
  expect(splitRemote("onedrive:")).toEqual({ name: "onedrive", path: "" });
  expect(splitRemote("my drive:/a/b c/")).toEqual({ name: "my drive", path: "/a/b c/" });
  for (const folder of ["/srv/nas", "./a:b", "a/b:c", "onedrive", "-x:"])
    expect(splitRemote(folder)).toBeUndefined();
});

test("a section is put, followed through a link, and removed, and its owner's alone", async () => {
  const target = join(folder, "real.conf");
  await writeFile(target, "[a]\ntype = alias\n", { mode: 0o644 });
  await symlink(target, join(folder, "rclone.conf"));
  const file = new ConfigFile(join(folder, "rclone.conf"));
  await Promise.all(Array.from({ length: 10 }, (_, i) => file.setSection(`n${i}`, { type: "local" })));
  expect((await file.sections()).size).toBe(11);
  expect((await readFile(target, "utf8")).startsWith("[a]\ntype = alias\n")).toBe(true);
  expect((await stat(target)).mode & 0o777).toBe(0o600);
  expect(await file.removeSection("n3")).toBe(true);
  expect(await file.removeSection("n3")).toBe(false);
  const made = new ConfigFile(join(folder, "new", "rclone.conf"));
  expect(await made.removeSection("a")).toBe(false);
  await expect(stat(join(folder, "new"))).rejects.toThrow("ENOENT");
  await made.setSection("a", { type: "local" });
  expect((await stat(made.path)).mode & 0o777).toBe(0o600);
});

test("an encrypted file is left alone", async () => {
  const file = new ConfigFile(join(folder, "rclone.conf"));
  const text = "# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nAAAA\n";
  await writeFile(file.path, text);
  await expect(file.sections()).rejects.toThrow(/rclone config encryption remove/);
  await expect(file.setSection("a", { type: "local" })).rejects.toThrow(/is encrypted/);
  expect(await readFile(file.path, "utf8")).toBe(text);
});
