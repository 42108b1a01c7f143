import { badRequest } from "./errors.ts";

/** A file in a form. */
export interface SentFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The parts of a `multipart/form-data` body: text, or files where they have a name. File names may stand without
 * quotes and in UTF-8, as clients of the Bot API send them and Web APIs refuse to read.
 */
export function readForm(body: Buffer, contentType: string): [string, string | SentFile][] {
  const [, boundary] = /^multipart\/form-data;\s*boundary="?([^";]+)/i.exec(contentType) ?? [];
  if (boundary === undefined) throw badRequest("can't parse the body");
  const delimiter = `\r\n--${boundary}`;
  const text = Buffer.concat([Buffer.from("\r\n"), body]);
  const parts: [string, string | SentFile][] = [];
  let start = text.indexOf(delimiter);
  for (;;) {
    start += delimiter.length;
    if (text.toString("latin1", start, start + 2) === "--") return parts;
    const end = text.indexOf(delimiter, start);
    const content = text.indexOf("\r\n\r\n", start) + 4;
    if (end < 0 || content < 4 || content > end) throw badRequest("can't parse the body");
    const head = text.toString("utf8", start, content);
    const [, name] = /;\s*name="([^"]*)"/i.exec(head) ?? [];
    const [, quoted, bare] = /;\s*filename=(?:"([^"]*)"|([^;\r\n]*))/i.exec(head) ?? [];
    const fileName = quoted ?? bare;
    if (name === undefined) throw badRequest("can't parse the body");
    const bytes = text.subarray(content, end);
    parts.push([name, fileName === undefined ? bytes.toString() : { name: fileName, bytes }]);
    start = end;
  }
}
