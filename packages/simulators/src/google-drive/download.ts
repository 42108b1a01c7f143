import { byteRange } from "../drives/byte-range.ts";
import type { Call, Reply } from "../drives/call.ts";
import type { Content } from "../drives/content.ts";
import type { Item } from "./account.ts";
import { errorOf, forbidden } from "./errors.ts";

/** The bytes of a file, or those of the range that is asked for. @throws DriveApiError 416 */
export function download({ headers: { range } }: Call, content: Content, mimeType: string): Reply {
  const { size } = content;
  const headers = { "content-type": mimeType, "cache-control": "private, max-age=0" };
  const asked = byteRange(range, size);
  if (!asked) return { status: 200, headers, bytes: { content, start: 0, end: size } };
  if (asked === "outside") throw errorOf(416);
  const { start, end } = asked;
  const part = { "content-range": `bytes ${start}-${end - 1}/${size}` };
  return { status: 206, headers: { ...headers, ...part }, bytes: { content, start, end } };
}

/** @throws DriveApiError 403 for an abusive file, unless the call says that this is known */
export function checkAbuse({ data }: Item, query: URLSearchParams): void {
  if (data.abusive && query.get("acknowledgeAbuse") !== "true")
    throw forbidden("cannotDownloadAbusiveFile", "This file has been identified as malware or spam.");
}
