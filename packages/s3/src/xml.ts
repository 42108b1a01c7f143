import { XMLParser, XMLValidator } from "fast-xml-parser";
import { S3Error } from "./errors.ts";

export const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
const special = /[&<>"\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const specials = /[&<>"\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text as XML content; control characters as references, as S3 writes them. */
export const escapeText = (text: string) =>
  special.test(text)
    ? text.replace(specials, (char) => names[char] ?? `&#x${char.charCodeAt(0).toString(16)};`)
    : text;

/** One element; undefined leaves it out. */
export const element = (name: string, value: string | number | boolean | undefined) =>
  value === undefined ? "" : `<${name}>${typeof value === "string" ? escapeText(value) : value}</${name}>`;

/** A document around inner XML. */
export const document = (root: string, inner: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${namespace}">${inner}</${root}>`;

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  removeNSPrefix: true,
  processEntities: true,
  htmlEntities: true,
  trimValues: false,
});

/** XML elements as nested records; text is always a string. */
export type XmlValue = string | XmlRecord | XmlValue[] | undefined;
export interface XmlRecord {
  [name: string]: XmlValue;
}

/** The content of a request body's root element. @throws S3Error MalformedXML */
export function parse(body: Buffer, root: string): XmlRecord {
  const text = body.toString("utf8");
  if (/<!DOCTYPE/i.test(text) || XMLValidator.validate(text) !== true) throw new S3Error("MalformedXML");
  let value: unknown;
  try {
    value = (parser.parse(text) as Record<string, unknown>)[root];
  } catch {
    // The parser refuses what is nested too deep and names that mean something to JavaScript.
    throw new S3Error("MalformedXML");
  }
  if (value === "") return {};
  if (typeof value !== "object" || value === null) throw new S3Error("MalformedXML");
  return value as XmlRecord;
}

/** The records of a repeated element; an empty one is a record of nothing. @throws S3Error MalformedXML */
export function records(value: XmlValue): XmlRecord[] {
  const all = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return all.map((one) => {
    if (typeof one === "string" && one.trim() === "") return {};
    if (typeof one !== "object" || Array.isArray(one)) throw new S3Error("MalformedXML");
    return one;
  });
}

/** The texts of a repeated element. */
export const texts = (value: XmlValue): string[] =>
  (Array.isArray(value) ? value : value === undefined ? [] : [value]).map((one) => {
    if (typeof one !== "string") throw new S3Error("MalformedXML");
    return one;
  });

/** The text of an element. */
export const text = (value: XmlValue): string | undefined => texts(value)[0];
