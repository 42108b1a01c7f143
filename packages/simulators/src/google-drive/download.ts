import type { Call, Reply } from "../drives/call.ts";
import type { Content } from "../drives/content.ts";
import { errorOf } from "./errors.ts";

/** The bytes of a file, or those of the range that is asked for. @throws DriveApiError 416 */
export function download({ headers: { range } }: Call, content: Content, mimeType: string): Reply {
  const { size } = content;
  const headers = { "content-type": mimeType, "cache-control": "private, max-age=0" };
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(range ?? "") ?? [];
  if (first === "" && last === "") return { status: 200, headers, bytes: { content, start: 0, end: size } };
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  if (start >= end) throw errorOf(416);
  const part = { "content-range": `bytes ${start}-${end - 1}/${size}` };
  return { status: 206, headers: { ...headers, ...part }, bytes: { content, start, end } };
}
