import { type Call, readBody, TooLarge } from "../drives/call.ts";
import { boundaryOf, parseMultipart } from "../drives/multipart.ts";
import { isObject } from "./body.ts";
import { GraphError, invalidRequest } from "./errors.ts";
import type { Json } from "./item-json.ts";

const mostBytes = 4 * 1024 * 1024;

/**
 * A file with its properties in one body, `multipart/related`: the first part is JSON, whose
 * `@microsoft.graph.sourceUrl` names the part with the bytes as `cid:ID`.
 * @throws GraphError 400, 413
 */
export async function readRelated(call: Call): Promise<{ item: Json; bytes: Buffer }> {
  const boundary = boundaryOf(call.headers["content-type"]);
  if (!boundary) throw invalidRequest("multipart/related needs a boundary.");
  const body = await readBody(call, mostBytes + 64 * 1024).catch((error) => {
    if (error instanceof TooLarge) throw new GraphError(413, "invalidRequest", "Request Entity Too Large");
    throw error;
  });
  const [first, ...others] = parseMultipart(body, boundary);
  const item = parse(first?.body);
  const source = item["@microsoft.graph.sourceUrl"] ?? item["@content.sourceUrl"];
  const content = others.find(({ headers }) => {
    const id = headers["content-id"]?.replace(/^<(.*)>$/, "$1");
    return id !== undefined && `cid:${id}` === source;
  });
  if (!isObject(item.file) || !content)
    throw invalidRequest("The parts must be a file and its content, by cid.");
  return { item, bytes: content.body };
}

function parse(bytes: Buffer | undefined): Json {
  try {
    const item: unknown = JSON.parse(bytes?.toString() ?? "");
    if (isObject(item)) return item;
  } catch {}
  throw invalidRequest("The first part must be a JSON object.");
}
