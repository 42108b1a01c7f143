import { DriveError } from "../drive.ts";
import type { Item } from "../remote/vendor.ts";
import type { DriveClient } from "./client.ts";
import { type DriveFile, type DriveFileV2, fileFields, fileFieldsV2, fromV2, versionOf } from "./items.ts";

/**
 * The tag by which version 2 writes only while a file is as it was.
 * @throws DriveError `Changed` where its bytes are others by now, or it is gone
 */
export async function etagOf(client: DriveClient, item: Item, signal?: AbortSignal): Promise<string> {
  const { status, body } = await client.http.json<DriveFileV2>({
    endpoint: "GET v2 file",
    method: "GET",
    url: client.v2(`files/${encodeURIComponent(item.id)}`, { fields: fileFieldsV2 }),
    accept: [404],
    signal,
  });
  const file = status === 404 ? undefined : fromV2(body);
  if (
    !file ||
    file.trashed ||
    (item.kind === "file" && !item.inline && versionOf(file) !== item.version) ||
    !body.etag
  )
    throw new DriveError("Changed", "The file was changed in Google Drive.");
  return body.etag;
}

/** The file as it is now; undefined when it is gone. */
export async function getFile(
  client: DriveClient,
  id: string,
  signal?: AbortSignal,
): Promise<DriveFile | undefined> {
  const { status, body } = await client.http.json<DriveFile>({
    endpoint: "GET file",
    method: "GET",
    url: client.v3(`files/${encodeURIComponent(id)}`, { fields: fileFields }),
    accept: [404],
    signal,
  });
  return status === 404 ? undefined : body;
}
