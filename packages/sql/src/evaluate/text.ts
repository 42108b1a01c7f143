import { isUtf8 } from "node:buffer";
import { SqlError, type Value } from "@overcoat/sources";
import { type ColumnType, columnType } from "./type.ts";

export type Text = string | Uint8Array | null;

/**
 * What PostgreSQL reads as this value of this type.
 * @throws SqlError 22021 for text that PostgreSQL cannot hold, 22007 for an invalid date
 */
export function toText(value: Value, type: string): Text {
  return textOf(columnType(type))(value);
}

/** As `toText`, compiled for a type. */
export function textOf(type: ColumnType): (value: Value) => Text {
  const other = type.isArray ? arrayText(type) : scalarText(type.name);
  const isBytea = type.name === "bytea" && !type.isArray;
  return (value) => {
    if (typeof value === "string") {
      if (value.includes("\0")) throw invalidByte("0x00");
      return value;
    }
    if (value === null || value === undefined) return null;
    if (value instanceof Uint8Array) return isBytea ? `\\x${hex(value)}` : checkedBytes(value);
    return other(value);
  };
}

type Other = Exclude<Value, null | string | Uint8Array>;

function scalarText(name: string): (value: Other) => string {
  const isJson = name === "json" || name === "jsonb";
  return (value) => {
    if (value instanceof Date) return isJson ? JSON.stringify(value) : dateText(value, name);
    if (typeof value === "object" || isJson) return JSON.stringify(value);
    if (typeof value === "boolean" && name === "bool") return value ? "t" : "f";
    if (Object.is(value, -0)) return "-0";
    return String(value);
  };
}

function dateText(date: Date, name: string): string {
  if (Number.isNaN(date.getTime())) throw new SqlError("22007", "the service gave an invalid date");
  const iso = date.toISOString();
  if (name !== "date" && name !== "timestamp" && name !== "timestamptz") return iso;
  const [day, time] = isoParts(date, iso);
  const year = date.getUTCFullYear();
  const era = year < 1 ? " BC" : "";
  if (name === "date") return day + era;
  return `${day} ${time}${name === "timestamptz" ? "+00" : ""}${era}`;
}

/** Day and time with the year as PostgreSQL counts it: no year 0, no sign. */
function isoParts(date: Date, iso: string): [string, string] {
  const [day, time] = iso.split("T") as [string, string];
  const year = date.getUTCFullYear();
  const counted = String(year < 1 ? 1 - year : year).padStart(4, "0");
  return [counted + day.slice(-6), time.slice(0, -1).replace(".000", "")];
}

function arrayText(type: ColumnType): (value: Other) => string {
  const element = textOf({ ...type, isArray: false });
  const items = (values: readonly Value[]): string => {
    const texts = values.map((value) => {
      if (Array.isArray(value) && type.name !== "json" && type.name !== "jsonb") return items(value);
      const text = element(value);
      if (text === null) return "NULL";
      const characters = typeof text === "string" ? text : Buffer.from(text).toString();
      if (!/^$|[\s{}",\\]|^null$/i.test(characters)) return characters;
      return `"${characters.replace(/["\\]/g, "\\$&")}"`;
    });
    return `{${texts.join(",")}}`;
  };
  return (value) => (Array.isArray(value) ? items(value) : String(value));
}

function checkedBytes(bytes: Uint8Array): Uint8Array {
  if (!isUtf8(bytes)) throw invalidByte();
  if (bytes.includes(0)) throw invalidByte("0x00");
  return bytes;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

function invalidByte(bytes?: string): SqlError {
  return new SqlError("22021", `invalid byte sequence for encoding "UTF8"${bytes ? `: ${bytes}` : ""}`, {
    hint: "The service holds bytes that are no text; read them in a column of type bytea.",
  });
}
