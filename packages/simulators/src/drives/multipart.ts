/** A part of a multipart body. */
export interface Part {
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The boundary that a content type names. */
export function boundaryOf(contentType = ""): string | undefined {
  return /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType)?.slice(1).find(Boolean);
}

/** The parts of a whole multipart body, up to where it ends or is none any more. */
export function parseMultipart(body: Buffer, boundary: string): Part[] {
  const parts: Part[] = [];
  const mark = `--${boundary}`;
  let at = body.indexOf(mark);
  while (at !== -1) {
    const start = at + mark.length + 2;
    const next = body.indexOf(`\r\n${mark}`, start);
    if (next === -1) break;
    const part = parseHeaders(body.subarray(start, next));
    if (!part) break;
    parts.push(part);
    at = next + 2;
  }
  return parts;
}

/** Headers, a blank line and what follows it; undefined where there is no such line. */
export function parseHeaders(bytes: Buffer): Part | undefined {
  // A part without headers begins with the blank line.
  const blank = bytes.subarray(0, 2).toString("latin1") === "\r\n" ? 0 : bytes.indexOf("\r\n\r\n");
  if (blank === -1) return undefined;
  const lines = bytes.toString("latin1", 0, blank).split("\r\n").filter(Boolean);
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { headers: Object.fromEntries(headers), body: bytes.subarray(blank + (blank === 0 ? 2 : 4)) };
}
