import { types } from "../statement/builtin.ts";

/** A column's type, read from what PostgreSQL's format_type prints. */
export interface ColumnType {
  /** In pg_type, of the element if it is an array. Types that are not built in travel as `text`. */
  readonly name: string;
  readonly isArray: boolean;
  /** `(10,2)` as numbers */
  readonly modifiers: readonly number[];
  readonly oid: number;
  /** As pg_attribute.atttypmod has it; -1 for none. */
  readonly modifier: number;
  /** Bytes, or -1 if the size varies. */
  readonly length: number;
}

const standardNames: Readonly<Record<string, string>> = {
  '"char"': "char",
  bigint: "int8",
  "bit varying": "varbit",
  boolean: "bool",
  char: "bpchar",
  character: "bpchar",
  "character varying": "varchar",
  decimal: "numeric",
  "double precision": "float8",
  integer: "int4",
  real: "float4",
  smallint: "int2",
  "time with time zone": "timetz",
  "time without time zone": "time",
  "timestamp with time zone": "timestamptz",
  "timestamp without time zone": "timestamp",
};

const read = new Map<string, ColumnType>();
const mostRead = 10_000;

export function columnType(formatted: string): ColumnType {
  let type = read.get(formatted);
  if (!type) {
    type = readType(formatted);
    if (read.size >= mostRead) read.clear();
    read.set(formatted, type);
  }
  return type;
}

function readType(formatted: string): ColumnType {
  const isArray = formatted.endsWith("]");
  const element = formatted.replace(/(\[\d*\])+$/, "");
  const [parentheses, numbers = ""] = /\(([\d, -]+)\)/.exec(element) ?? [""];
  const plain = element.replace(parentheses, "").replace(/ {2,}/g, " ").trim();
  const builtin = types.get(standardNames[plain] ?? plain.replace(/^interval .*/, "interval"));
  const { name, oid, length, arrayOid } = builtin ?? types.get("text")!;
  const modifiers = builtin && numbers ? numbers.split(",").map(Number) : [];
  return {
    name,
    isArray,
    modifiers,
    oid: isArray ? arrayOid : oid,
    modifier: typeModifier(name, modifiers),
    length: isArray ? -1 : length,
  };
}

function typeModifier(name: string, [first, second = 0]: readonly number[]): number {
  if (first === undefined) return -1;
  if (name === "varchar" || name === "bpchar") return first + 4;
  if (name === "numeric") return ((first << 16) | (second & 0x7ff)) + 4;
  return name === "interval" ? -1 : first;
}

/** The type in SQL, made of known names and numbers only. */
export function typeInSql({ name, modifiers, isArray }: ColumnType): string {
  return `pg_catalog."${name}"${modifiers.length > 0 ? `(${modifiers.join(",")})` : ""}${isArray ? "[]" : ""}`;
}

/** Bytes that the planner expects a value to take, as get_typavgwidth does. */
export function averageWidth({ length, name, modifiers }: ColumnType): number {
  if (length > 0) return length;
  const [most] = modifiers;
  if (most === undefined || (name !== "varchar" && name !== "bpchar")) return 32;
  if (name === "bpchar" || most <= 32) return most + 4;
  return most < 1000 ? 32 + Math.floor((most - 32) / 2) : 516;
}
