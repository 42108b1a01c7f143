import { expect, test } from "vitest";
import { parseConfig, removeSection, setSection, setValue } from "./config-text.ts";

const sample = `# mine
[nas]
type = alias
remote = /srv/nas

; the work account
[onedrive]
type = onedrive
token = {"access_token":"a","expiry":"2026-11-23T10:00:00+01:00"}
drive_id : b!1=2
client_secret = "s = x"

[last]
type = dropbox
`;

test("reads sections, keys and values", () => {
  const sections = parseConfig(sample, "rclone.conf");
  expect([...sections.keys()]).toEqual(["nas", "onedrive", "last"]);
  expect(sections.get("onedrive")).toEqual({
    type: "onedrive",
    token: '{"access_token":"a","expiry":"2026-11-23T10:00:00+01:00"}',
    drive_id: "b!1=2",
    client_secret: "s = x",
  });
  expect(parseConfig("\uFEFF[a]\r\ntype = drive\r\n", "x").get("a")).toEqual({ type: "drive" });
});

test("says that a file is encrypted", () => {
  const text = "# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nabcd\n";
  expect(() => parseConfig(text, "/etc/rclone.conf")).toThrow(/\/etc\/rclone.conf is encrypted/);
});

test("changes one value and nothing else", () => {
  expect(setValue(sample, "onedrive", "token", "new")).toBe(sample.replace(/^token = .*$/m, "token = new"));
  expect(setValue(sample, "nas", "token", "new")).toBe(
    sample.replace("remote = /srv/nas\n", "remote = /srv/nas\ntoken = new\n"),
  );
  expect(setValue(sample, "last", "token", "new")).toBe(`${sample.trimEnd()}\ntoken = new\n`);
  expect(setValue(sample, "gone", "token", "new")).toBe(`${sample}\n[gone]\ntoken = new\n`);
  const odd = "\r\n[a]\r\n  token: x\r\nkey\r\n";
  expect(setValue(odd, "a", "token", "y")).toBe("\r\n[a]\r\ntoken = y\nkey\r\n");
});

test("puts a section in its place, at the end, or away", () => {
  const changed = setSection(sample, "nas", { type: "local" });
  expect(changed).toBe(sample.replace("type = alias\nremote = /srv/nas", "type = local"));
  expect(setSection("", "a", { type: "b" })).toBe("[a]\ntype = b\n");
  expect(setSection(sample, "new", { type: "b" })).toBe(`${sample}\n[new]\ntype = b\n`);
  expect(removeSection(sample, "onedrive")).toBe(sample.replace(/\[onedrive\][\s\S]*\[last\]/, "[last]"));
  expect(removeSection(sample, "gone")).toBe(sample);
});
