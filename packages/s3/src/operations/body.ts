import { readBody } from "../body/payload.ts";
import type { Context } from "../context.ts";
import { S3Error } from "../errors.ts";

const largest = 2 * 1024 * 1024;

/** A small body as a whole, verified; `ignoreChecksums` where those headers speak of the object. @throws S3Error MaxMessageLengthExceeded */
export async function smallBody(context: Context, ignoreChecksums = false): Promise<Buffer> {
  const { request } = context;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of readBody(request, request.headers, context.verified, { ignoreChecksums })
    .chunks) {
    size += chunk.length;
    if (size > largest) throw new S3Error("MaxMessageLengthExceeded");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
