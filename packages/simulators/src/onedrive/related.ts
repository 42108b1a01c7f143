import { type Call, readBody, TooLarge } from "../drives/call.ts";
import { isObject } from "./body.ts";
import { GraphError, invalidRequest } from "./errors.ts";
import type { Json } from "./item-json.ts";

const mostBytes = 4 * 1024 * 1024;

interface Part {
  readonly id: string;
  readonly bytes: Buffer;
}

/**
 * A file with its properties in one body, `multipart/related`: the first part is JSON, whose
 * `@microsoft.graph.sourceUrl` names the part with the bytes as `cid:ID`.
 * @throws GraphError 400, 413
 */
export async function readRelated(call: Call): Promise<{ item: Json; bytes: Buffer }> {
  const boundary = /;\s*boundary="?([^";]+)"?/i.exec(call.headers["content-type"] ?? "")?.[1];
  if (!boundary) throw invalidRequest("multipart/related needs a boundary.");
  const body = await readBody(call, mostBytes + 64 * 1024).catch((error) => {
    if (error instanceof TooLarge) throw new GraphError(413, "invalidRequest", "Request Entity Too Large");
    throw error;
  });
  const [first, ...others] = partsOf(body, boundary);
  const item = parse(first?.bytes);
  const source = item["@microsoft.graph.sourceUrl"] ?? item["@content.sourceUrl"];
  const content = others.find(({ id }) => `cid:${id}` === source);
  if (!isObject(item.file) || !content)
    throw invalidRequest("The parts must be a file and its content, by cid.");
  return { item, bytes: content.bytes };
}

function partsOf(body: Buffer, boundary: string): Part[] {
  const parts: Part[] = [];
  const mark = `--${boundary}`;
  let at = body.indexOf(mark);
  while (at !== -1) {
    const start = at + mark.length + 2;
    const next = body.indexOf(`\r\n${mark}`, start);
    const blank = body.indexOf("\r\n\r\n", start);
    if (next === -1 || blank === -1 || blank > next) break;
    const id = /^content-id:\s*<?([^>\r\n]+)>?/im.exec(body.toString("latin1", start, blank))?.[1] ?? "";
    parts.push({ id: id.trim(), bytes: body.subarray(blank + 4, next) });
    at = next + 2;
  }
  return parts;
}

function parse(bytes: Buffer | undefined): Json {
  try {
    const item: unknown = JSON.parse(bytes?.toString() ?? "");
    if (isObject(item)) return item;
  } catch {}
  throw invalidRequest("The first part must be a JSON object.");
}
