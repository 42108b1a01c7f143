import type { Value } from "@overcoat/sources";
import { compareText } from "./collate.ts";
import { compareDecimals, type Decimal, readDecimal } from "./decimal.ts";
import { readDate, readTimestamp, writeDate, writeTimestamp } from "./timestamp.ts";

/** A value in a form that compares as PostgreSQL compares its type. */
export type Key = string | number | bigint | Decimal;

/** The values of one type, or of types that compare with one another, such as the integers. */
export interface Domain {
  /** `undefined` for text that only PostgreSQL itself can read, or refuse. */
  read(text: string): Key | undefined;
  /** As `read` for a value of another JavaScript type than string; `undefined` sends its text to `read`. */
  convert?(value: Exclude<Value, null | string>): Key | undefined;
  compare(a: Key, b: Key): number;
  /** Whether `===` tells equality and `<` the order. */
  readonly plain: "equality" | "order" | undefined;
  /** The text that PostgreSQL prints. */
  write(key: Key): string;
}

const compareOrdered = (a: Key, b: Key): number => (a < b ? -1 : a > b ? 1 : 0);

/** NaN equals itself and is above all else. */
function compareFloats(a: Key, b: Key): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  return Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : -1;
}

function integer(least: bigint, greatest: bigint): Domain {
  const low = Number(least);
  const high = Number(greatest);
  const read = (text: string): Key | undefined => {
    if (!/^[ \t\n\r\f\v]*[+-]?\d+[ \t\n\r\f\v]*$/.test(text)) return undefined;
    const number = Number(text);
    if (Number.isSafeInteger(number)) return number >= low && number <= high ? number + 0 : undefined;
    const exact = BigInt(text.trim().replace("+", ""));
    return exact >= least && exact <= greatest ? exact : undefined;
  };
  return {
    read,
    convert(value) {
      if (typeof value === "number")
        return Number.isSafeInteger(value) && value >= low && value <= high ? value + 0 : undefined;
      return typeof value === "bigint" ? read(String(value)) : undefined;
    },
    compare: compareOrdered,
    plain: "order",
    write: String,
  };
}

const int8 = integer(-(2n ** 63n), 2n ** 63n - 1n);

const text: Domain = {
  read: (value) => value,
  compare: (a, b) => compareText(a as string, b as string),
  plain: "equality",
  write: String,
};

const floatSyntax = /^[ \t\n\r\f\v]*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[ \t\n\r\f\v]*$/;

const float8: Domain = {
  read(value) {
    if (!floatSyntax.test(value)) return specialFloats.get(value);
    const number = Number(value);
    // Out of range where it overflows, or is not 0 and underflows: an error of PostgreSQL's.
    if (!Number.isFinite(number) || (Math.abs(number) < 2.3e-308 && /[1-9]/.test(value.replace(/e.*/i, ""))))
      return undefined;
    return number;
  },
  convert: (value) => (typeof value === "number" ? value : undefined),
  compare: compareFloats,
  plain: undefined,
  write: (key) => writeFloat(key as number),
};

const specialFloats = new Map<string, number>([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

/** The shortest digits that read back as the same number, as PostgreSQL prints them with extra_float_digits 3. */
function writeFloat(number: number): string {
  if (!Number.isFinite(number)) return String(number);
  if (Object.is(number, -0)) return "-0";
  const [digits, exponentText] = number.toExponential().split("e") as [string, string];
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 15) return String(number);
  return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

const numeric: Domain = {
  read: readDecimal,
  convert: (value) =>
    typeof value === "number" || typeof value === "bigint" ? readDecimal(String(value)) : undefined,
  compare: compareDecimals,
  plain: undefined,
  write: (key) => (typeof key === "object" ? key.text : String(key)),
};

const booleans = new Map<string, number>([
  ["t", 1],
  ["true", 1],
  ["f", 0],
  ["false", 0],
]);

const bool: Domain = {
  read: (value) => booleans.get(value),
  convert: (value) => (typeof value === "boolean" ? Number(value) : undefined),
  compare: compareOrdered,
  plain: "order",
  write: (key) => (key === 1 ? "t" : "f"),
};

const uuid: Domain = {
  read: (value) =>
    /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i.test(value)
      ? value.toLowerCase()
      : undefined,
  compare: compareOrdered,
  plain: "order",
  write: String,
};

const date: Domain = { read: readDate, compare: compareOrdered, plain: "order", write: writeDate };
const timestamp: Domain = {
  read: (value) => readTimestamp(value, false),
  compare: compareOrdered,
  plain: "order",
  write: (key) => writeTimestamp(key, false),
};
const timestamptz: Domain = {
  read: (value) => readTimestamp(value, true),
  compare: compareOrdered,
  plain: "order",
  write: (key) => writeTimestamp(key, true),
};

/** Domains by the name of the type in pg_type. */
export const domains: ReadonlyMap<string, Domain> = new Map([
  ["text", text],
  ["varchar", text],
  ["int2", integer(-(2n ** 15n), 2n ** 15n - 1n)],
  ["int4", integer(-(2n ** 31n), 2n ** 31n - 1n)],
  ["int8", int8],
  ["float8", float8],
  ["numeric", numeric],
  ["bool", bool],
  ["uuid", uuid],
  ["date", date],
  ["timestamp", timestamp],
  ["timestamptz", timestamptz],
]);
