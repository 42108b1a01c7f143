import { type BodySource, readBody } from "../body/payload.ts";
import type { Context } from "../context.ts";
import { S3Error } from "../errors.ts";

const largest = 2 * 1024 * 1024;

/**
 * The bytes of a request's body; asks the client for them where it waits to be asked. The connection stays open
 * when reading ends early, so that the client sees the answer.
 */
export function bodyOf({ request, response }: Context): BodySource {
  const expects = request.headers.expect !== undefined;
  return {
    arrived(length) {
      if (expects || request.readableLength !== length) return undefined;
      const bytes = request.read() as Buffer | null;
      // To its end, which Node.js waits for.
      request.resume();
      return bytes ?? Buffer.alloc(0);
    },
    [Symbol.asyncIterator]() {
      if (expects) response.writeContinue();
      return request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
    },
  };
}

/** A small body as a whole, verified; `ignoreChecksums` where those headers speak of the object. @throws S3Error MaxMessageLengthExceeded */
export async function smallBody(context: Context, ignoreChecksums = false): Promise<Buffer> {
  const { request } = context;
  const chunks: Buffer[] = [];
  let size = 0;
  const body = readBody(bodyOf(context), request.headers, context.verified, { ignoreChecksums });
  const whole = body.whole();
  if (whole) return whole;
  for await (const chunk of body.chunks) {
    size += chunk.length;
    if (size > largest) throw new S3Error("MaxMessageLengthExceeded");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
