import { SqlError } from "../error.ts";
import type { Column, Value } from "../source.ts";
import type { Item } from "./api.ts";

/** Types of columns, by what matters here. */
export const isJson = (type: string) => type === "json" || type === "jsonb";
export const isText = (type: string) => type === "text" || type === "character varying";
export const isInteger = (type: string) => /^(smallint|integer|bigint)$/.test(type);
export const isTimestamp = (type: string) => /^timestamp\b/.test(type);

/** An attribute of an object as the value of a column. */
export function columnValue(value: unknown, type: string): Value {
  if (value === undefined || value === null) return null;
  if (isJson(type)) return JSON.stringify(value);
  if (type.endsWith("[]")) return value;
  if (isTimestamp(type)) {
    const point = microseconds(value);
    if (point !== undefined && point % 1000n === 0n) return new Date(Number(point / 1000n));
  }
  if (typeof value === "number" || typeof value === "boolean") return isText(type) ? String(value) : value;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The text of an attribute in a column of type text; undefined for NULL. */
export function columnText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/**
 * PostgreSQL's text of a value to be written, as JSON.
 * @throws SqlError 0A000 for a column type that holds no attribute
 */
export function attributeValue(text: string | null, { name, type }: Column): unknown {
  if (text === null) return null;
  if (isJson(type)) return JSON.parse(text);
  if (type === "boolean") return text === "t";
  if (isInteger(type)) return Number(text);
  if (isText(type) || type.startsWith("character")) return text;
  throw new SqlError("0A000", `column "${name}" cannot be written since it is of type ${type}`, {
    hint: "Declare it as text, boolean, integer or jsonb.",
  });
}

/** Microseconds since 1970 of an ISO date, PostgreSQL's or JSON's, of years 1 to 9999; undefined for others. */
export function microseconds(text: unknown): bigint | undefined {
  if (typeof text !== "string") return undefined;
  const parts = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:Z|\+00(?::?00)?)?$/.exec(text);
  if (!parts) return undefined;
  const seconds = Date.parse(`${parts[1]}T${parts[2]}Z`);
  if (Number.isNaN(seconds)) return undefined;
  return BigInt(seconds) * 1000n + BigInt((parts[3] ?? "").padEnd(6, "0"));
}

/** The value at a path of an object, through objects only. */
export function reach(item: Item, path: readonly string[]): unknown {
  let value: unknown = item;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Item)[name];
  }
  return value;
}
