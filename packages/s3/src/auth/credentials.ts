import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** An access key that the gateway knows. */
export interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The only buckets that this key may use; every bucket when absent. */
  readonly buckets?: Readonly<Record<string, "read-only" | "read-write">>;
}

/** What a signature covers, as the client sent it. */
export interface SignedRequest {
  readonly method: string;
  /** As sent, before '?'. */
  readonly rawPath: string;
  /** As sent, without '?'. */
  readonly rawQuery: string;
  readonly headers: IncomingHttpHeaders;
}

/** A request whose signature is right. */
export interface Verified {
  readonly credential: Credential;
  /** The value of x-amz-content-sha256, or UNSIGNED-PAYLOAD. */
  readonly payloadHash: string;
  /** What the signatures of the body's chunks start from. */
  readonly chunks?: {
    readonly signingKey: Buffer;
    readonly scope: string;
    readonly date: string;
    readonly seedSignature: string;
  };
}

/** Furthest that a client's clock may be from ours. */
export const maxSkew = 15 * 60 * 1000;

const hexDigest = 64;
const ours = Buffer.alloc(hexDigest);
const theirs = Buffer.alloc(hexDigest);

/** Compares two signatures in a time that does not depend on where they differ. */
export function sameSignature(expected: string, given: string): boolean {
  if (expected.length === hexDigest && given.length === hexDigest) {
    ours.write(expected);
    return theirs.write(given) === hexDigest && timingSafeEqual(ours, theirs);
  }
  const a = Buffer.from(expected, "utf8");
  const b = Buffer.from(given, "utf8");
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A header's value as one string; '' when it is absent. */
export function headerValue(headers: IncomingHttpHeaders, name: string): string {
  // What every object has by its prototype is no text.
  const value = headers[name];
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.join(",") : "";
}

/** Trims a header's value and makes each run of spaces in it one space. */
export function collapse(value: string): string {
  const trimmed = value.trim();
  return trimmed.includes("  ") ? trimmed.replace(/ {2,}/g, " ") : trimmed;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 65 && code <= 70) return code - 55;
  if (code >= 97 && code <= 102) return code - 87;
  return -1;
}

/**
 * Undoes percent-encoding into a string with one character per byte (latin1), so that bytes that are not
 * UTF-8 survive. A '%' without two hex digits behind it stands for itself.
 */
export function percentDecode(text: string, plusIsSpace: boolean): string {
  if (!text.includes("%") && !(plusIsSpace && text.includes("+"))) return text;
  let out = "";
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 37) {
      const high = hexDigit(text.charCodeAt(i + 1));
      const low = hexDigit(text.charCodeAt(i + 2));
      if (high >= 0 && low >= 0) {
        out += String.fromCharCode(high * 16 + low);
        i += 2;
        continue;
      }
    }
    out += plusIsSpace && code === 43 ? " " : text[i];
  }
  return out;
}

const encoded = Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  return /[A-Za-z0-9\-._~]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
});

/** AWS's UriEncode of a string that has one character per byte. */
export function awsEncode(bytes: string, keepSlash: boolean): string {
  let out = "";
  for (let i = 0; i < bytes.length; i++) {
    const code = bytes.charCodeAt(i);
    out += keepSlash && code === 47 ? "/" : encoded[code & 255];
  }
  return out;
}

/** One `name=value` of a query, decoded to one character per byte. */
export interface QueryPair {
  readonly name: string;
  readonly value: string;
  /** There was an '=' in it. */
  readonly hasValue: boolean;
}

/** Splits a raw query into its decoded pairs, in the order sent. */
export function parseQuery(rawQuery: string): QueryPair[] {
  const pairs: QueryPair[] = [];
  if (rawQuery === "") return pairs;
  for (const piece of rawQuery.split("&")) {
    if (piece === "") continue;
    const equals = piece.indexOf("=");
    const name = equals < 0 ? piece : piece.slice(0, equals);
    pairs.push({
      name: percentDecode(name, true),
      value: equals < 0 ? "" : percentDecode(piece.slice(equals + 1), true),
      hasValue: equals >= 0,
    });
  }
  return pairs;
}
