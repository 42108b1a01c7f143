import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { SqlError } from "../../error.ts";
import type { Bucket } from "../bucket/bucket.ts";
import type { Listed } from "../bucket/object.ts";

/** Times that a body is asked for again without having got further. */
const mostFailures = 4;

export const changedMeanwhile = (bucket: string, key: string) =>
  new SqlError("40001", `object "s3://${bucket}/${key}" was changed while it was read`, {
    hint: "run the statement again",
  });

/**
 * An object's bytes from `start` to before `end`. Where the connection breaks, or the service ended it while the reader took
 * its time, reading goes on behind the last byte; an object that has changed by then is an error.
 * @throws SqlError 40001, 58P01 and those of the connection
 */
export async function* readBody(
  bucket: Bucket,
  { key, etag, size }: Pick<Listed, "key" | "etag" | "size">,
  signal: AbortSignal,
  start = 0,
  end = size,
): AsyncGenerator<Buffer> {
  let at = start;
  let failures = 0;
  while (at < end) {
    let body: Readable | undefined;
    const began = at;
    try {
      const found = await bucket.get(
        key,
        { start: at || undefined, end: end < size ? end : undefined, etag },
        signal,
      );
      if (!found || found.object.etag !== etag) throw changedMeanwhile(bucket.name, key);
      body = found.body;
      for await (const chunk of body) {
        at += chunk.length;
        yield chunk;
      }
      if (at >= end) return;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof SqlError) throw error;
      // The connection broke in the middle of the body.
      failures = at > began ? 0 : failures + 1;
      if (failures >= mostFailures) await bucket.call(key, signal, () => Promise.reject(error));
      await setTimeout(50 * 2 ** failures, undefined, { signal });
      continue;
    } finally {
      body?.destroy();
    }
    failures = at > began ? 0 : failures + 1;
    if (failures >= mostFailures)
      throw new SqlError("08006", `S3 ends object "s3://${bucket.name}/${key}" at byte ${at} of ${end}`);
  }
}

/** As `readBody`, all at once. */
export async function readWhole(...range: Parameters<typeof readBody>): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of readBody(...range)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
