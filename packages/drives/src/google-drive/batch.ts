import { randomUUID } from "node:crypto";
import type { DriveClient } from "./client.ts";

/** One call of a batch. */
export interface Inner {
  readonly method: string;
  /** The whole address. */
  readonly url: string;
  readonly content?: unknown;
}

export interface InnerReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Most calls of a batch. */
export const mostInner = 100;
const mostBytes = 16 * 1024 * 1024;

/**
 * Makes up to 100 calls in one.
 * @returns the answers in the order of the calls, undefined for each that is missing
 * @throws DriveError where the batch itself fails
 */
export async function callBatch(
  client: DriveClient,
  calls: readonly Inner[],
): Promise<(InnerReply | undefined)[]> {
  const boundary = randomUUID();
  const parts = calls.map(({ method, url, content }, index) => {
    const { pathname, search } = new URL(url);
    const body = content === undefined ? "" : JSON.stringify(content);
    const type = content === undefined ? "" : "Content-Type: application/json\r\n";
    return (
      `--${boundary}\r\nContent-Type: application/http\r\nContent-ID: <${index}>\r\n\r\n` +
      `${method} ${pathname}${search} HTTP/1.1\r\n${type}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}\r\n`
    );
  });
  const { headers, body } = await client.http.stream({
    endpoint: "POST batch",
    method: "POST",
    url: client.batch,
    headers: { "content-type": `multipart/mixed; boundary=${boundary}` },
    body: `${parts.join("")}--${boundary}--\r\n`,
    repeatable: true,
  });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > mostBytes) break;
    chunks.push(chunk);
  }
  const answers = new Map(
    parse(Buffer.concat(chunks).toString(), headers["content-type"] ?? "").map((each) => [each.index, each]),
  );
  return calls.map((_, index) => answers.get(index));
}

/** The answers of a batch, which come in any order and say which call they are for. */
function parse(text: string, contentType: string): (InnerReply & { readonly index: number })[] {
  const boundary = /boundary="?([^";]+)/.exec(contentType)?.[1];
  if (boundary === undefined) return [];
  return text.split(`--${boundary}`).flatMap((part) => {
    const index = /^content-id:\s*<?response-(\d+)/im.exec(part)?.[1];
    const [, status, head = "", body = ""] =
      /HTTP\/\d\.\d (\d{3})[^\r\n]*\r?\n([\s\S]*?)\r?\n\r?\n([\s\S]*)$/.exec(part) ?? [];
    if (index === undefined || status === undefined) return [];
    const headers = Object.fromEntries(
      head.split(/\r?\n/).map((line) => [line.split(":")[0]!.toLowerCase(), line.replace(/^[^:]*:\s*/, "")]),
    );
    return [{ index: Number(index), status: Number(status), headers, text: body.trim() }];
  });
}
