import { expect, test } from "vitest";
import { readOptions } from "./options.ts";

const section = { drive_id: "b!x", drive_type: "business" };

test("a section of rclone.conf says which drive it is", () => {
  expect(readOptions(section)).toMatchObject({
    driveId: "b!x",
    driveType: "business",
    url: "https://graph.microsoft.com/v1.0",
  });
  expect(readOptions({ ...section, region: "us" }).url).toBe("https://graph.microsoft.us/v1.0");
  expect(readOptions({ ...section, region: "cn" }).url).toBe("https://microsoftgraph.chinacloudapi.cn/v1.0");
  expect(
    readOptions({ ...section, tenant_url: "http://127.0.0.1:4000/", tenant_api_version: "v1.0" }).url,
  ).toBe("http://127.0.0.1:4000/v1.0");
  expect(
    readOptions({
      ...section,
      root_folder_id: "01X",
      chunk_size: "5M",
      upload_cutoff: "1Gi",
      list_chunk: "200",
      hard_delete: "true",
    }),
  ).toMatchObject({
    rootFolderId: "01X",
    fragmentSize: 5 * 2 ** 20,
    uploadLimit: 250_000_000,
    listPage: 200,
    hardDelete: true,
  });
  expect(readOptions({ ...section, encoding: "Slash,Dot" }).encoding?.encode("a:b")).toBe("a:b");
});

test.each([
  [{ drive_id: "" }, "drive_id is missing"],
  [{ drive_type: "shared" }, "drive_type must be personal, business or documentLibrary"],
  [{ region: "de" }, "region = de is none of global, us, cn"],
  [{ chunk_size: "1000" }, "chunk_size must be a multiple of 320Ki"],
  [{ chunk_size: "100Mi" }, "chunk_size must be a multiple of 320Ki and at most 60Mi"],
  [{ upload_cutoff: "much" }, "upload_cutoff = much is no size"],
  [{ list_chunk: "0" }, "list_chunk must be a number"],
  [{ hard_delete: "yes" }, "hard_delete = yes must be true or false"],
  [{ encoding: "Comma" }, 'encoding has "Comma"'],
])("%j is refused", (wrong, message) => {
  expect(() => readOptions({ ...section, ...wrong })).toThrow(message);
});
