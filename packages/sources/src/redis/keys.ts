import { isUtf8 } from "node:buffer";
import type { Value } from "../source.ts";
import type { Bytes } from "./client/node.ts";
import { exactText, plainType, Undecodable } from "./text.ts";

/** The keys that make up a table, and how its key column shows them. */
export interface Keyspace {
  /** The one key, where the table shows no more. */
  readonly only?: string;
  /** What all keys begin with, none where `only` is set. */
  readonly prefix: string;
  /** MATCH of SCAN, where it is more than the prefix. */
  readonly pattern?: string;
  /** What the key column leaves out of the beginning. */
  readonly hidden: string;
}

/** How a key column's type shows keys. */
export interface KeyColumn {
  /** Whether a column of this type shows this key; else the key is no row. */
  includes(key: Bytes): boolean;
  show(key: Bytes): Value;
  /** The key that the column's text stands for. */
  key(text: string): Bytes;
  /** Whether LIKE on the column is a condition on the key. */
  readonly isText: boolean;
}

const canonical: Readonly<Record<string, RegExp>> = {
  smallint: /^(?:0|-?[1-9]\d{0,4})$/,
  integer: /^(?:0|-?[1-9]\d{0,9})$/,
  bigint: /^(?:0|-?[1-9]\d{0,18})$/,
  uuid: /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/,
};

/** `undefined` for a type that cannot show keys. */
export function keyColumn(type: string, { hidden }: Keyspace): KeyColumn | undefined {
  const plain = plainType(type);
  if (plain === "text" || plain === "character varying") {
    return {
      isText: true,
      includes: () => true,
      show: (key) => exactText(rest(key, hidden), key),
      key: (text) => hidden + text,
    };
  }
  if (plain === "bytea") {
    return {
      isText: false,
      includes: () => true,
      show: (key) => Buffer.from(rest(key, hidden)),
      key: (text) => fromBytes(Buffer.concat([Buffer.from(hidden), Buffer.from(text.slice(2), "hex")])),
    };
  }
  const form = canonical[plain];
  if (form === undefined) return undefined;
  return {
    isText: false,
    includes: (key) => form.test(rest(key, hidden).toString()),
    show: (key) => rest(key, hidden).toString(),
    key: (text) => hidden + text,
  };
}

function rest(key: Bytes, hidden: string): Bytes {
  return typeof key === "string" ? key.slice(hidden.length) : key.subarray(Buffer.byteLength(hidden));
}

/** Text where the bytes are UTF-8, so that a key has one form only. */
export function fromBytes(bytes: Buffer): Bytes {
  return isUtf8(bytes) ? bytes.toString() : bytes;
}

/** @throws Undecodable for text that may not be the key's */
export function exactKey(key: Bytes): Bytes {
  if (typeof key !== "string") return fromBytes(key);
  if (key.includes("\uFFFD")) throw new Undecodable();
  return key;
}

const binaryMark = "\0";

/** A key as a string that tells all keys apart: the key itself, or the hexadecimal form of what is not UTF-8. */
export function keyIdentity(key: Bytes): string {
  if (typeof key === "string" && !key.startsWith(binaryMark)) return key;
  return binaryMark + Buffer.from(key).toString("hex");
}

export function identityKey(identity: string): Bytes {
  return identity.startsWith(binaryMark) ? fromBytes(Buffer.from(identity.slice(1), "hex")) : identity;
}
