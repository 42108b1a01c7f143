import { type Call, readBody, TooLarge } from "../drives/call.ts";
import { boundaryOf, parseMultipart } from "../drives/multipart.ts";
import { badRequest, DriveApiError } from "./errors.ts";
import type { Json } from "./fields.ts";
import { isObject } from "./metadata.ts";

/** The JSON object of a request; an empty one where it has no body. @throws DriveApiError 400, 413 */
export async function readJson(call: Call): Promise<Json> {
  const bytes = await read(call);
  const type = call.headers["content-type"];
  if (bytes.length > 0 && type !== undefined && !/^application\/json\b/i.test(type))
    throw badRequest(`Media type '${type}' is not supported.`);
  return parse(bytes);
}

/** @param most bytes @throws DriveApiError 413 */
export async function read(call: Call, most?: number): Promise<Buffer> {
  try {
    return await readBody(call, most);
  } catch (error) {
    if (error instanceof TooLarge) throw new DriveApiError(413, "uploadTooLarge", "Request Too Large");
    throw error;
  }
}

/**
 * The two parts of an upload with metadata in one request.
 * @param most bytes of the whole body
 * @throws DriveApiError 400, 413
 */
export async function readRelated(
  call: Call,
  most: number,
): Promise<{ metadata: Json; type: string; bytes: Buffer }> {
  const contentType = call.headers["content-type"] ?? "";
  const boundary = boundaryOf(contentType);
  if (!/^multipart\/related\b/i.test(contentType) || !boundary)
    throw badRequest("A multipart upload is multipart/related with a boundary.");
  const [first, second, ...more] = parseMultipart(await read(call, most), boundary);
  if (!first || !second || more.length > 0)
    throw badRequest("A multipart upload has two parts: metadata and media.");
  if (!/^application\/json\b/i.test(first.headers["content-type"] ?? ""))
    throw badRequest("The first part must be application/json.");
  return { metadata: parse(first.body), type: second.headers["content-type"] ?? "", bytes: second.body };
}

function parse(bytes: Buffer): Json {
  if (bytes.length === 0) return {};
  try {
    const body: unknown = JSON.parse(bytes.toString());
    if (isObject(body)) return body;
  } catch {}
  throw new DriveApiError(400, "parseError", "Parse Error");
}
