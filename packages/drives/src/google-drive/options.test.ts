import { expect, test } from "vitest";
import { readOptions } from "./options.ts";

test("a section of rclone.conf says which drive it is", () => {
  expect(readOptions({})).toEqual({});
  expect(
    readOptions({
      team_drive: "0AteamPVA",
      root_folder_id: "1folder",
      root_url: "http://127.0.0.1:4000/",
      chunk_size: "16Mi",
      upload_cutoff: "5Mi",
      list_chunk: "2000",
      use_trash: "false",
      skip_gdocs: "true",
      skip_shortcuts: "true",
      acknowledge_abuse: "true",
      keep_revision_forever: "true",
    }),
  ).toEqual({
    sharedDrive: "0AteamPVA",
    rootFolderId: "1folder",
    url: "http://127.0.0.1:4000",
    fragmentSize: 16 * 2 ** 20,
    uploadLimit: 5 * 2 ** 20,
    listPage: 1000,
    hardDelete: true,
    skipDocuments: true,
    skipShortcuts: true,
    acknowledgeAbuse: true,
    keepRevisions: true,
  });
  expect(readOptions({ encoding: "Slash,Dot" }).encoding?.encode("a/b")).toBe("a／b");
});

test.each([
  [{ shared_with_me: "true" }, "shared_with_me is not supported"],
  [{ chunk_size: "1000" }, "chunk_size must be a multiple of 256Ki"],
  [{ list_chunk: "0" }, "list_chunk must be a number"],
  [{ use_trash: "maybe" }, "use_trash = maybe must be true or false"],
  [{ encoding: "Comma" }, 'encoding has "Comma"'],
])("%j is refused", (section, message) => {
  expect(() => readOptions(section)).toThrow(message);
});
