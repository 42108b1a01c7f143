import { expect, test } from "vitest";
import { contentPath, folderOf, folderPath, nameOf, objectPath } from "./storage-paths.ts";

test.each([
  ["a.txt", "", "a.txt"],
  ["a/b/c.txt", "a/b/", "c.txt"],
  ["a/b/", "a/", "b"],
  ["a/", "", "a"],
  ["a//", "a/", "(no name)"],
  ["/a", "/", "a"],
  ["/", "", "(no name)"],
])("%j is in %j and called %j", (key, folder, name) => {
  expect(folderOf(key)).toBe(folder);
  expect(nameOf(key)).toBe(name);
});

test("keys travel whole in the query", () => {
  const key = "a//b c%20/ü+&#?=/../x";
  const sent = (path: string, name: string) => new URL(path, "http://localhost").searchParams.get(name);
  expect(sent(objectPath("b", key), "key")).toBe(key);
  expect(sent(folderPath("b", `${key}/`, "token"), "prefix")).toBe(`${key}/`);
  expect(sent(contentPath("save", "b", key, "1.0"), "key")).toBe(key);
  expect(folderPath("b", "")).toBe("/storage/b");
});
