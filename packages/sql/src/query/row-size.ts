import type { Row, Value } from "@overcoat/sources";

/** Bytes that a row takes in memory, about. */
export function rowSize(row: Row): number {
  let bytes = 100;
  for (const value of row) bytes += valueSize(value);
  return bytes;
}

function valueSize(value: Value): number {
  if (typeof value === "string") return value.length * 2;
  if (value instanceof Uint8Array) return value.length;
  return typeof value === "object" && value !== null ? JSON.stringify(value).length * 2 : 16;
}
