import { readBody } from "../body/payload.ts";
import type { Context } from "../context.ts";
import { S3Error } from "../errors.ts";

const largest = 2 * 1024 * 1024;

/**
 * The bytes of a request's body; asks the client for them where it waits to be asked. The connection stays open
 * when reading ends early, so that the client sees the answer.
 */
export function bodyOf({ request, response }: Context): AsyncIterableIterator<Buffer> {
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  if (request.headers.expect === undefined) return chunks;
  async function* asked() {
    response.writeContinue();
    yield* chunks;
  }
  return asked();
}

/** A small body as a whole, verified; `ignoreChecksums` where those headers speak of the object. @throws S3Error MaxMessageLengthExceeded */
export async function smallBody(context: Context, ignoreChecksums = false): Promise<Buffer> {
  const { request } = context;
  const chunks: Buffer[] = [];
  let size = 0;
  const { chunks: received } = readBody(bodyOf(context), request.headers, context.verified, {
    ignoreChecksums,
  });
  for await (const chunk of received) {
    size += chunk.length;
    if (size > largest) throw new S3Error("MaxMessageLengthExceeded");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
