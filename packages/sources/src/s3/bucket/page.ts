import { SqlError } from "../../error.ts";
import { type Listed, unquoted, wholeSeconds } from "./object.ts";

export interface Page {
  readonly objects: readonly Listed[];
  /** The token of the next page; `undefined` after the last one. */
  readonly next: string | undefined;
}

/** Reads a ListBucketResult, whose keys are URL-encoded where it says so. @throws SqlError 22021, 08P01 */
export function readPage(xml: string): Page {
  const objects: Listed[] = [];
  const first = xml.indexOf("<Contents>");
  const head = first < 0 ? xml : xml.slice(0, first);
  // What stands around the objects may come before or after them.
  const tail = first < 0 ? "" : xml.slice(xml.lastIndexOf("</Contents>") + 11);
  const outer = (name: string) => element(head, name) ?? element(tail, name);
  const encoded = outer("EncodingType") === "url";
  let time = "";
  let modified = 0;
  for (let at = first; at >= 0; ) {
    const end = xml.indexOf("</Contents>", at);
    if (end < 0) throw malformed();
    let key: string | undefined;
    let size = 0;
    let etag = "";
    let storageClass = "STANDARD";
    let open = xml.indexOf("<", at + 10);
    while (open < end) {
      const close = xml.indexOf(">", open);
      if (xml.charCodeAt(close - 1) === slash) {
        open = xml.indexOf("<", close);
        continue;
      }
      const name = xml.slice(open + 1, close);
      const finish = xml.indexOf(`</${name}>`, close);
      if (finish < 0) throw malformed();
      const text = xml.slice(close + 1, finish);
      if (name === "Key") key = keyOf(text, encoded);
      else if (name === "Size") size = Number(text);
      else if (name === "ETag") etag = unquoted(unescapeXml(text));
      else if (name === "StorageClass") storageClass = text;
      else if (name === "LastModified" && text !== time) {
        time = text;
        modified = wholeSeconds(Date.parse(text));
      }
      open = xml.indexOf("<", finish + name.length + 3);
    }
    if (key === undefined) throw malformed();
    objects.push({ key, size, etag, modified, storageClass });
    at = xml.indexOf("<Contents>", end);
  }
  const next = outer("NextContinuationToken");
  return { objects, next: outer("IsTruncated") === "true" ? unescapeXml(next ?? "") : undefined };
}

const slash = "/".charCodeAt(0);

const malformed = () => new SqlError("08P01", "S3 answers with a listing that cannot be read");

function element(xml: string, name: string): string | undefined {
  const start = xml.indexOf(`<${name}>`);
  return start < 0 ? undefined : xml.slice(start + name.length + 2, xml.indexOf(`</${name}>`, start));
}

const entities: Readonly<Record<string, string>> = { quot: '"', amp: "&", lt: "<", gt: ">", apos: "'" };

const unescapeXml = (text: string) =>
  text.includes("&")
    ? text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) =>
        name
          ? (entities[name] ?? whole)
          : String.fromCodePoint(Number.parseInt(decimal ?? hex, decimal ? 10 : 16)),
      )
    : text;

function keyOf(text: string, encoded: boolean): string {
  const plain = unescapeXml(text);
  if (!encoded || !/[%+]/.test(plain)) return plain;
  try {
    const key = decodeURIComponent(plain.replaceAll("+", " "));
    if (!key.includes("\0")) return key;
  } catch {
    // Told below.
  }
  throw new SqlError("22021", `the key ${plain} (URL-encoded) is no text of PostgreSQL`, {
    hint: "rename the object, or leave it out by the table option prefix",
  });
}
