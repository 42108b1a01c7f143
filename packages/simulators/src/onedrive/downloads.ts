import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { byteRange } from "../drives/byte-range.ts";
import type { Call, Operation, Reply } from "../drives/call.ts";
import type { Clock } from "../drives/clock.ts";
import type { Content } from "../drives/content.ts";
import type { Drive, Item } from "./drive.ts";
import { GraphError, notFound } from "./errors.ts";
import { mimeType } from "./names.ts";

/** Downloads by pre-authenticated addresses: each names an item, a version and a time, and is signed as it stands. */
export class Downloads {
  readonly #drive: Drive;
  readonly #clock: Clock;
  readonly #seconds: number;
  readonly #key = randomBytes(32).toString("hex");
  /** Where the addresses lead; known once the listener is. */
  origin = "";

  constructor(drive: Drive, clock: Clock, seconds = 3600) {
    this.#drive = drive;
    this.#clock = clock;
    this.#seconds = seconds;
  }

  /** @param version the current one at the time of the download where not given */
  url(item: Item, version?: number): string {
    const expires = Math.floor(this.#clock.now() / 1000) + this.#seconds;
    const of = version === undefined ? "" : `&version=${version}`;
    // Lower-case escapes: who parses and writes the address anew breaks its signature.
    const signed = `UniqueId=${encodeURIComponent(item.id)}${of}&Translate=false&expires=${expires}&tempauth=v1%2e`;
    return `${this.origin}/download?${signed}${this.#sign(signed)}`;
  }

  operation(call: Call): Operation {
    return { endpoint: `${call.method} download`, run: () => this.#download(call) };
  }

  #download(call: Call): Reply {
    const { method, query, rawQuery, headers } = call;
    if (method !== "GET" && method !== "HEAD")
      throw new GraphError(405, "invalidRequest", "Only GET is allowed.");
    const [, signed = "", signature = ""] = /^(.*&tempauth=v1%2e)([\w-]*)$/.exec(rawQuery) ?? [];
    const right = this.#sign(signed);
    if (signature.length !== right.length || !timingSafeEqual(Buffer.from(signature), Buffer.from(right)))
      throw new GraphError(401, "unauthenticated", "The pre-authenticated address is not as it was given.");
    if (Number(query.get("expires")) * 1000 <= this.#clock.now())
      throw new GraphError(401, "unauthenticated", "The pre-authenticated address has expired.");
    const item = this.#drive.tree.get(query.get("UniqueId") ?? "");
    const number = query.get("version");
    const content =
      number === null
        ? item?.data.content
        : item?.data.versions.find((version) => version.number === Number(number))?.content;
    if (!item || !content) throw notFound();
    if (item.data.infected) throw infected();
    return serve(item, content, this.#drive.eTag(item), headers.range);
  }

  #sign(text: string): string {
    return hash("sha256", `${this.#key}${text}`, "base64url");
  }
}

export function infected(): GraphError {
  return new GraphError(403, "malwareDetected", "Malware is detected in the file.", {
    headers: { "x-virus-infected": "Test:Virus/Stand-in" },
  });
}

function serve(item: Item, content: Content, eTag: string, range: string | undefined): Reply {
  const { size } = content;
  const headers: Record<string, string> = {
    "accept-ranges": "bytes",
    "content-type": mimeType(item.name),
    "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(item.name)}`,
    etag: eTag,
    "last-modified": new Date(item.data.modified).toUTCString(),
  };
  const part = byteRange(range, size);
  if (!part) return { status: 200, headers, bytes: { content, start: 0, end: size } };
  if (part === "outside")
    throw new GraphError(416, "invalidRange", "The range cannot be satisfied.", {
      headers: { "content-range": `bytes */${size}` },
    });
  const { start, end } = part;
  headers["content-range"] = `bytes ${start}-${end - 1}/${size}`;
  return { status: 206, headers, bytes: { content, start, end } };
}
