import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkConfig } from "../config.ts";
import { RunError, UsageError } from "../errors.ts";
import { describePlace, identityOf, resolvePlace } from "./place.ts";
import { loadRemotes, noRemotes, type RcloneRemotes } from "./rclone-remotes.ts";

let folder: string;
let file: string;
let rclone: RcloneRemotes;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "overcoat-places-")));
  file = join(folder, "rclone.conf");
  mkdirSync(join(folder, "nas/photos"), { recursive: true });
  writeFileSync(
    file,
    `[onedrive]
type = onedrive
drive_id = d1

[nas]
type = alias
remote = ${folder}/nas

[work]
type = alias
remote = onedrive:Documents/

[loop]
type = alias
remote = loop:

[disk]
type = local
`,
  );
  rclone = await loadRemotes(file, {});
});
afterAll(() => rmSync(folder, { recursive: true }));

const config = (remotes: object) => checkConfig({ remotes }, "overcoat.config.ts");
const place = (text: string, remotes = {}) => resolvePlace(text, config(remotes), rclone);

test("folders are named by their paths and by remotes", () => {
  const root = join(folder, "nas");
  expect(resolvePlace(root, {}, noRemotes)).toEqual({ kind: "folder", root });
  for (const text of ["nas:", `disk:${root}`, `local:${root}`])
    expect(place(text)).toEqual({ kind: "folder", root });
  expect(place("nas:photos")).toEqual({ kind: "folder", root: join(root, "photos") });
  expect(place("mine:photos", { mine: root })).toEqual({ kind: "folder", root: join(root, "photos") });
  expect(place("mine:", { mine: { path: root } })).toEqual({ kind: "folder", root });
  expect(() => place("nas:../x")).toThrow(UsageError);
  expect(() => place(join(folder, "none"))).toThrow(RunError);
  expect(() => place(file)).toThrow(/not a folder/);
});

test("drives are named by rclone's remotes, and by aliases of them", () => {
  const drive = place("onedrive:/some//folder/");
  expect(drive).toMatchObject({ kind: "drive", path: "some/folder", file, remote: { type: "onedrive" } });
  expect(describePlace(drive)).toBe("onedrive:some/folder");
  expect(place("work:2026")).toEqual(place("onedrive:Documents/2026"));
  expect(place("mine:2026", { mine: "onedrive:Documents" })).toEqual(place("work:2026"));
  expect(() => place("onedrive:a/../../b")).toThrow(/stay inside/);
  expect(() => place("loop:")).toThrow(/in a circle/);
});

test("overcoat.config.ts has drives with rclone's keys", () => {
  const remotes = { mine: { type: "google-drive", client_id: "x", use_trash: false } };
  expect(place("mine:a", remotes)).toEqual({
    kind: "drive",
    remote: { name: "mine", type: "drive", options: { client_id: "x", use_trash: "false" }, overridden: [] },
    path: "a",
    file: undefined,
  });
  const box = { box: { type: "dropbox" } };
  for (const [text, path] of [
    ["box:/Team//x", "/Team/x"],
    ["box:/", "/"],
    ["box:x", "x"],
  ])
    expect(place(text!, box)).toMatchObject({ path });
  expect(() => config({ mine: { type: "s3" } })).toThrow(UsageError);
});

test("what is kept of one place is not taken for another's", async () => {
  writeFileSync(join(folder, "other.conf"), "[onedrive]\ntype = onedrive\ndrive_id = d1\n");
  const other = resolvePlace("onedrive:", {}, await loadRemotes(join(folder, "other.conf"), {}));
  const moved = resolvePlace(
    "onedrive:",
    {},
    await loadRemotes(file, { RCLONE_CONFIG_ONEDRIVE_DRIVE_ID: "d2" }),
  );
  const all = [place("onedrive:"), place("onedrive:a"), place("nas:"), other, moved].map(identityOf);
  expect(new Set(all).size).toBe(5);
  expect(identityOf(place("nas:"))).toBe(join(folder, "nas"));
});

test("an unknown remote is told, with those that there are", async () => {
  expect(() => place("gone:", { mine: "nas:" })).toThrow(
    `there is no remote gone: here. There are local:, mine:, onedrive:, nas:, work:, loop:, disk: and plain folders`,
  );
  writeFileSync(join(folder, "encrypted.conf"), "RCLONE_ENCRYPT_V0:\nAAAA\n");
  const encrypted = await loadRemotes(join(folder, "encrypted.conf"), {});
  expect(resolvePlace(folder, {}, encrypted)).toEqual({ kind: "folder", root: folder });
  expect(() => resolvePlace("onedrive:", {}, encrypted)).toThrow(/encrypted.conf is encrypted/);
  expect((await loadRemotes("/dev/null", {})).names).toEqual([]);
});
