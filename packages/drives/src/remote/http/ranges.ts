import { DriveError } from "../../drive.ts";
import type { ByteStream } from "./bodies.ts";
import type { Reply } from "./client.ts";

/** Where the bytes of an answer begin and how many the file has: a server may answer a range with all of it. */
export function placed({ status, headers, body }: Reply<ByteStream>, start: number) {
  if (status !== 206) return { body, skip: start, total: Number(headers["content-length"]) };
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers["content-range"] ?? "") ?? [];
  return { body, skip: start - Number(first), total: Number(first) > start ? undefined : Number(total) };
}

/**
 * So many bytes behind those that are skipped.
 * @param name the service, for the message
 * @throws DriveError `Unavailable` where there are fewer
 */
export async function* exactly(
  body: AsyncIterable<Buffer>,
  skip: number,
  length: number,
  name: string,
): AsyncGenerator<Buffer> {
  let before = skip;
  let left = length;
  for await (const chunk of body) {
    if (left === 0) return;
    const bytes = chunk.subarray(before, before + left);
    before = Math.max(0, before - chunk.length);
    left -= bytes.length;
    if (bytes.length > 0) yield bytes;
  }
  if (left > 0) throw new DriveError("Unavailable", `The download from ${name} ended too early.`);
}
