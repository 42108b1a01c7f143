import { expect, test } from "vitest";
import { readOptions } from "./options.ts";

test("a section of rclone.conf says which Dropbox it is", () => {
  expect(readOptions({ type: "dropbox" })).toEqual({});
  expect(
    readOptions({
      root_namespace: "123",
      chunk_size: "50M",
      api_url: "http://127.0.0.1:4000/",
      content_url: "http://127.0.0.1:4001",
      notify_url: "http://127.0.0.1:4002",
      shared_files: "false",
      batch_mode: "sync",
    }),
  ).toMatchObject({
    rootNamespace: "123",
    fragmentSize: 48 * 2 ** 20,
    uploadLimit: 48 * 2 ** 20,
    url: "http://127.0.0.1:4000",
    contentUrl: "http://127.0.0.1:4001",
    notifyUrl: "http://127.0.0.1:4002",
  });
  expect(readOptions({ chunk_size: "1Mi" }).fragmentSize).toBe(2 ** 20);
  expect(readOptions({ encoding: "Slash,Dot" }).encoding?.encode("a\\b")).toBe("a\\b");
});

test.each([
  [{ impersonate: "x@example.com" }, "impersonate is not supported"],
  [{ shared_folders: "true" }, "shared_folders is not supported"],
  [{ chunk_size: "151Mi" }, "chunk_size must be at most 150Mi"],
  [{ chunk_size: "much" }, "chunk_size = much is no size"],
  [{ encoding: "Comma" }, 'encoding has "Comma"'],
])("%j is refused", (wrong, message) => {
  expect(() => readOptions(wrong as Record<string, string>)).toThrow(message);
});
