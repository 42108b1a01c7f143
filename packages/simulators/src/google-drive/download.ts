import { byteRange } from "../drives/byte-range.ts";
import type { Call, Reply } from "../drives/call.ts";
import type { Content } from "../drives/content.ts";
import { errorOf } from "./errors.ts";

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
