import type { Value } from "../../../source.ts";
import { type Convert, converter } from "../convert.ts";
import type { Field, Kind, Unit } from "./kind.ts";

/** From a stored value that is not NULL to a column's. @throws SqlError of class 22 */
export type Read = (raw: never) => Value;

/** Columns of these types take a kind's values as they are: nothing can be out of range. */
const natural: Partial<Readonly<Record<Kind["kind"], RegExp>>> = {
  boolean: /^boolean/,
  float: /^(real|double precision|numeric)$/,
  double: /^(double precision|numeric)$/,
  string: /^(text|character varying)$/,
  json: /^(text|jsonb?)$/,
  bytes: /^bytea$/,
  date: /^(date|text)$/,
  timestamp: /^(timestamp|date|text)/,
  int96: /^(timestamp|date|text)/,
  decimal: /^(numeric|text)/,
  uuid: /^(uuid|text)$/,
};

export function valueReader({ kind }: Field, type: string): Read {
  if (kind.kind === "list" && type.endsWith("]")) {
    const element = valueReader(kind.element, type.slice(0, -2));
    return (raw: readonly never[]) =>
      raw.map((one) => (one === null || one === undefined ? null : element(one)));
  }
  if (kind.kind === "list" || kind.kind === "map" || kind.kind === "struct" || kind.kind === "variant") {
    const json = jsonWriter(kind);
    return (raw) => json(raw);
  }
  if (/^jsonb?$/.test(type) && kind.kind !== "json" && kind.kind !== "string") return jsonWriter(kind);
  const read = scalar(kind, type);
  if (isNatural(kind, type)) return read;
  const convert: Convert = converter(type);
  return (raw) => {
    const value = read(raw);
    return typeof value === "string"
      ? convert(value)
      : value instanceof Uint8Array
        ? value
        : convert(String(value));
  };
}

function isNatural(kind: Kind, type: string): boolean {
  if (kind.kind !== "integer") return natural[kind.kind]?.test(type) ?? false;
  const bits = { smallint: 16, integer: 32, bigint: 64, numeric: 65 }[type];
  return bits !== undefined && (kind.signed ? kind.bits <= bits : kind.bits < bits);
}

function scalar(kind: Kind, type: string): Read {
  switch (kind.kind) {
    case "date":
      return dateText;
    case "timestamp": {
      const zone = /with time zone/.test(type) ? "+00" : "";
      const micros = microseconds(kind.unit);
      return (raw: bigint) => timestampText(micros(raw)) + zone;
    }
    case "int96": {
      const zone = /with time zone/.test(type) ? "+00" : "";
      return (raw: bigint) => timestampText(floor(raw, 1000n)) + zone;
    }
    case "time": {
      const micros = microseconds(kind.unit);
      return (raw: bigint | number) => timeText(Number(micros(BigInt(raw))));
    }
    case "decimal":
      return decimalText(kind.scale);
    case "uuid":
      return uuidText;
    case "interval":
      return intervalText;
    case "bytes":
      return type === "uuid" ? (raw: Uint8Array) => (raw.length === 16 ? uuidText(raw) : raw) : same;
    default:
      return same;
  }
}

const same: Read = (raw) => raw;

const day = 86_400_000;

/** Days of which there are seldom many, and their texts. */
const dates = new Map<number, string>();
const mostDates = 50_000;

function dateText(days: number): string {
  let text = dates.get(days);
  if (text === undefined) {
    text = isoDate(new Date(days * day));
    if (dates.size >= mostDates) dates.clear();
    dates.set(days, text);
  }
  return text;
}

/** With the year as PostgreSQL writes it. */
function isoDate(date: Date): string {
  if (Number.isNaN(date.getTime())) return "infinity";
  const year = date.getUTCFullYear();
  const era = year < 1 ? " BC" : "";
  const text = String(year < 1 ? 1 - year : year).padStart(4, "0");
  return `${text}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}${era}`;
}

const pairs = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, "0"));
const two = (number: number) => pairs[number]!;

/** Division that rounds towards the past. */
const floor = (value: bigint, by: bigint) => (value >= 0n ? value / by : -((-value + by - 1n) / by));

function microseconds(unit: Unit): (raw: bigint) => bigint {
  if (unit === "MILLIS") return (raw) => raw * 1000n;
  return unit === "MICROS" ? (raw) => raw : (raw) => floor(raw, 1000n);
}

const microsOfDay = 86_400_000_000;

/** Microseconds since 1970, without a zone. */
function timestampText(micros: bigint): string {
  let days: number;
  let rest: number;
  const number = Number(micros);
  if (Number.isSafeInteger(number)) {
    days = Math.floor(number / microsOfDay);
    rest = number - days * microsOfDay;
  } else {
    const exact = floor(micros, BigInt(microsOfDay));
    days = Number(exact);
    rest = Number(micros - exact * BigInt(microsOfDay));
  }
  const date = dateText(days);
  // The era comes last.
  if (date.endsWith(" BC")) return `${date.slice(0, -3)} ${timeText(rest)} BC`;
  return `${date} ${timeText(rest)}`;
}

function timeText(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  const fraction = micros - seconds * 1_000_000;
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const text = `${two(hours)}:${two(minutes - hours * 60)}:${two(seconds - minutes * 60)}`;
  return fraction === 0 ? text : `${text}.${String(fraction).padStart(6, "0")}`;
}

function decimalText(scale: number): (raw: number | bigint | Uint8Array) => string {
  return (raw) => {
    let text = String(raw instanceof Uint8Array ? bigEndian(raw) : raw);
    if (scale <= 0) return text === "0" ? text : text + "0".repeat(-scale);
    const negative = text.charCodeAt(0) === 45;
    if (negative) text = text.slice(1);
    if (text.length <= scale) text = text.padStart(scale + 1, "0");
    const point = text.length - scale;
    return `${negative ? "-" : ""}${text.slice(0, point)}.${text.slice(point)}`;
  };
}

/** Two's complement; most decimals need no more than the digits that a number holds. */
function bigEndian(bytes: Uint8Array): number | bigint {
  const { length } = bytes;
  if (length === 0) return 0;
  const sign = bytes[0]! & 0x80 ? 0xff : 0;
  let at = 0;
  while (at < length && bytes[at] === sign) at++;
  if (length - at > 6) return BigInt.asIntN(8 * length, BigInt(`0x${hex(bytes)}`));
  let value = 0;
  for (let i = at; i < length; i++) value = value * 256 + bytes[i]!;
  return sign ? value - 256 ** (length - at) : value;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");

const uuidText = (raw: Uint8Array) => hex(raw).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

/** Three little-endian numbers: months, days, milliseconds. */
function intervalText(raw: Uint8Array): string {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const [months, days, milliseconds] = [0, 4, 8].map((at) => view.getUint32(at, true));
  return `${months} mons ${days} days ${milliseconds! / 1000} secs`;
}

/** Writes nested values as JSON in which numbers keep their digits. */
function jsonWriter(kind: Kind): (raw: unknown) => string {
  switch (kind.kind) {
    case "list": {
      const element = orNull(jsonWriter(kind.element.kind));
      return (raw) => `[${Array.from(raw as Iterable<unknown>, element).join(",")}]`;
    }
    case "map": {
      const value = orNull(jsonWriter(kind.value.kind));
      return (raw) => object(Object.entries(raw as object).map(([name, one]) => [name, value(one)]));
    }
    case "struct": {
      const fields = kind.fields.map(({ name, kind }) => [name, orNull(jsonWriter(kind))] as const);
      return (raw) =>
        object(fields.map(([name, write]) => [name, write((raw as Record<string, unknown>)[name])]));
    }
    case "variant":
      return (raw) => JSON.stringify(raw, (_, value) => (typeof value === "bigint" ? Number(value) : value));
    case "integer":
    case "boolean":
      return String;
    case "float":
    case "double":
      // JSON has no NaN and no infinity.
      return (raw) => (Number.isFinite(raw) ? String(raw) : `"${raw}"`);
    case "decimal":
      return decimalText(kind.scale) as (raw: unknown) => string;
    case "json":
      return String;
    case "bytes":
      return (raw) => `"\\\\x${hex(raw as Uint8Array)}"`;
    default: {
      const read = scalar(kind, "timestamp with time zone") as (raw: unknown) => Value;
      return (raw) => JSON.stringify(read(raw));
    }
  }
}

const orNull = (write: (raw: unknown) => string) => (raw: unknown) =>
  raw === null || raw === undefined ? "null" : write(raw);

const object = (members: readonly (readonly [name: string, json: string])[]) =>
  `{${members.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
