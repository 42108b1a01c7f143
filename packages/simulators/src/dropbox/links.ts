import { randomBytes } from "node:crypto";
import { byteRange } from "../drives/byte-range.ts";
import type { Call, Operation, Reply } from "../drives/call.ts";
import type { Clock } from "../drives/clock.ts";
import type { Content } from "../drives/content.ts";
import { ApiError } from "./errors.ts";

/** Gives the content as it is when it is asked for, undefined when it is gone. */
type Linked = () => Content | undefined;

const mostLinks = 10_000;

/** Temporary links: addresses that need no token, and take none. */
export class Links {
  readonly #clock: Clock;
  readonly #seconds: number;
  readonly #links = new Map<string, { readonly linked: Linked; readonly expires: number }>();
  /** Where the links lead; known once the listener is. */
  origin = "";

  constructor(clock: Clock, seconds = 4 * 3600) {
    this.#clock = clock;
    this.#seconds = seconds;
  }

  add(linked: Linked): string {
    const id = randomBytes(24).toString("base64url");
    this.#links.set(id, { linked, expires: this.#clock.now() + this.#seconds * 1000 });
    if (this.#links.size > mostLinks) this.#links.delete(this.#links.keys().next().value!);
    return `${this.origin}/cd/0/get/${id}/file`;
  }

  operation(call: Call): Operation {
    return { endpoint: `${call.method} link`, run: () => this.#answer(call) };
  }

  #answer({ method, path, headers }: Call): Reply {
    if (method !== "GET" && method !== "HEAD") throw refusal(405, "Method Not Allowed");
    if (headers.authorization !== undefined) throw refusal(400, "A temporary link takes no token.");
    const link = this.#links.get(/^\/cd\/0\/get\/([\w-]+)\/file$/.exec(path)?.[1] ?? "");
    if (!link) throw refusal(404, "Not Found");
    if (link.expires <= this.#clock.now()) throw refusal(410, "The link has expired.");
    const content = link.linked();
    if (!content) throw refusal(404, "Not Found");
    return contentReply(content, headers.range, {});
  }
}

/** The bytes of a content, or the part that a `Range` asks for. @throws ApiError 416 */
export function contentReply(
  content: Content,
  range: string | undefined,
  headers: Readonly<Record<string, string>>,
): Reply {
  const { size } = content;
  const common = { "accept-ranges": "bytes", "content-type": "application/octet-stream", ...headers };
  const part = byteRange(range, size);
  if (part === "outside")
    throw new ApiError(416, "The range cannot be satisfied.", { "content-range": `bytes */${size}` });
  if (!part) return { status: 200, headers: common, bytes: { content, start: 0, end: size } };
  const { start, end } = part;
  return {
    status: 206,
    headers: { ...common, "content-range": `bytes ${start}-${end - 1}/${size}` },
    bytes: { content, start, end },
  };
}

const refusal = (status: number, message: string) => new ApiError(status, `${message}\n`);
