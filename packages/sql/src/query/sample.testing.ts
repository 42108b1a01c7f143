import type { TableDefinition, Value } from "@overcoat/sources";
import type pg from "pg";
import type { MemoryTable } from "./memory-relation.testing.ts";

/** Values of each type: as a source may give them, and the text that PostgreSQL reads. */
const values: Readonly<Record<string, readonly (Value | readonly [Value, string])[]>> = {
  text: [
    "",
    "a",
    "A",
    "ab",
    "b",
    "a%b",
    "a_b",
    "a\\b",
    "ä",
    "z",
    "\uffee",
    "😀",
    "😀a",
    "it's",
    "x\ny\tz",
    "  a ",
    "NULL",
    [new TextEncoder().encode("bytes ü"), "bytes ü"],
  ],
  "character varying(6)": ["", "a", "ab", "abcdef", "ü", "😀😀", "B"],
  integer: [0, 1, -1, 2, 42, 2147483647, -2147483648, "7", "  12 ", "+3"],
  smallint: [0, 1, -5, 32767, "8"],
  bigint: [0, 1, -1, 9007199254740993n, "9223372036854775807", "-9223372036854775808", 42],
  numeric: [
    "0",
    "1",
    "1.0",
    "1.50",
    "-2.25",
    "12345678901234567890.123",
    "1e3",
    "NaN",
    0.1,
    "0.1",
    "9007199254740993",
    "1e-20",
  ],
  "numeric(8,2)": ["1", "1.50", "1.005", "-99.99", 3.14259],
  "double precision": [
    0,
    1.5,
    -1.5,
    1e300,
    1e-300,
    0.1,
    "NaN",
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    "1e10",
    -0,
  ],
  real: [0, 1.5, 0.1, "NaN", 16777217],
  boolean: [true, false, "t", "f", "yes", "off"],
  uuid: [
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12",
    "00000000-0000-0000-0000-000000000000",
    "{a0eebc999c0b4ef8bb6d6bb9bd380a13}",
  ],
  date: [
    "2020-01-01",
    "1999-12-31",
    "0044-03-15 BC",
    "infinity",
    "2020-02-29",
    "Jan 5 2021",
    [new Date("2021-06-01T00:00:00Z"), "2021-06-01"],
  ],
  "timestamp without time zone": [
    "2020-01-01 00:00:00",
    "2020-01-01T12:34:56.789",
    "2020-01-01 12:34:56.123457",
    "-infinity",
    "294000-01-01 00:00:00",
    "1 Feb 2003 04:05",
  ],
  "timestamp with time zone": [
    "2020-01-01 00:00:00+00",
    "2020-01-01T02:00:00+02:00",
    [new Date("2020-06-01T01:02:03.456Z"), "2020-06-01 01:02:03.456+00"],
    "2020-01-01 12:34:56.1234567Z",
    "4000-01-01 00:00:00+00 BC",
  ],
  jsonb: [
    [{ a: 1, b: ["x"] }, '{"a":1,"b":["x"]}'],
    [["a", "b"], '["a","b"]'],
    '{"a": 2}',
    "null",
    '"s"',
    "3",
  ],
  "text[]": [[["a", "b"], "{a,b}"], [[], "{}"], '{"x y",NULL}', [["a", null, 'q"\\'], '{a,NULL,"q\\"\\\\"}']],
  "character(4)": ["a", "ab  ", "abcd", ""],
  bytea: ["\\x00ff", [new Uint8Array([1, 2]), "\\x0102"], ""],
};

export const types = Object.keys(values);
const names = ["t", "v", "i", "s", "b", "n", "n2", "f", "r", "o", "u", "d", "ts", "tz", "j", "a", "c", "by"];
const isOrdered = (type: string) => !["jsonb", "text[]", "bytea", "character(4)", "real"].includes(type);

export const definition: TableDefinition = {
  name: "t",
  options: {},
  columns: [
    { name: "id", type: "integer", options: {} },
    ...types.map((type, index) => ({ name: names[index]!, type, options: {} })),
  ],
};

/** mulberry32 */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

type Random = () => number;
export const pick = <Item>(items: readonly Item[], next: Random): Item =>
  items[Math.floor(next() * items.length)]!;
export const chance = (share: number, next: Random) => next() < share;

/** The same rows in memory and, as `r.t` and `r.u`, in PostgreSQL. */
export interface Sample {
  table(name: string, handles: boolean): MemoryTable;
  /** What PostgreSQL prints for a text of a column's type. */
  print(column: number, text: string): string;
}

export async function loadSample(pool: pg.Pool): Promise<Sample> {
  const tables: Record<string, Omit<MemoryTable, "handles">> = {};
  const printed = new Map<string, string>();
  const print = (column: number, text: string) => printed.get(`${column} ${text}`) ?? text;
  await pool.query("CREATE SCHEMA r");
  const next = random(1);
  for (const [table, count] of [
    ["t", 180],
    ["u", 40],
  ] as const) {
    const columns = definition.columns.map(
      ({ name, type }) => `${name} ${type}${/^(text|char)/.test(type) ? " COLLATE pg_c_utf8" : ""}`,
    );
    await pool.query(`CREATE TABLE r.${table} (${columns})`);
    const rows: Value[][] = [];
    for (let id = 0; id < count; id++) {
      const row: Value[] = [id];
      const texts: (string | null)[] = [String(id)];
      for (const type of types) {
        const value = chance(0.12, next) ? null : pick(values[type]!, next);
        const isPair =
          (Array.isArray(value) && value.length === 2 && typeof value[1] === "string" && type !== "text[]") ||
          (type === "text[]" && Array.isArray(value));
        const [given, text] = isPair
          ? (value as [Value, string])
          : [value as Value, value === null ? null : String(Object.is(value, -0) ? "-0" : value)];
        row.push(given);
        texts.push(text === null ? null : typeof given === "boolean" ? String(given) : text);
      }
      rows.push(row);
      await pool.query({
        text: `INSERT INTO r.${table} VALUES (${texts.map((_, index) => `$${index + 1}`)})`,
        values: texts,
      });
      const { rows: back } = await pool.query({
        text: `SELECT * FROM r.${table} WHERE id = ${id}`,
        rowMode: "array",
      });
      for (const [index, text] of texts.entries())
        if (text !== null) printed.set(`${index} ${text}`, back[0]![index]);
    }
    const ctids = await pool.query<[string]>({
      text: `SELECT ctid FROM r.${table} ORDER BY id`,
      rowMode: "array",
    });
    tables[table] = {
      definition: { ...definition, name: table },
      rows,
      ctids: ctids.rows.map(([ctid]) => ctid),
      print,
    };
  }
  return { print, table: (name, handles) => ({ ...tables[name]!, handles }) };
}

export const literal = (text: string) =>
  text.includes("\\")
    ? `E'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`
    : `'${text.replaceAll("'", "''")}'`;

export interface Generated {
  readonly sql: string;
  readonly parameters: (string | null)[];
  readonly ordered: boolean;
  /** Of each output, the column whose text it is. */
  readonly outputs: readonly (number | undefined)[];
}

export class Generator {
  readonly parameters: (string | null)[] = [];
  readonly next: Random;
  readonly #print: Sample["print"];

  constructor(next: Random, { print }: Sample) {
    this.next = next;
    this.#print = print;
  }

  /** A value of a column's type, as PostgreSQL prints it. */
  value(column: number): string {
    const type = definition.columns[column]!.type;
    if (column === 0) return String(Math.floor(this.next() * 200));
    const value = pick(values[type]!, this.next);
    const text = Array.isArray(value) ? String(value[1]) : String(Object.is(value, -0) ? "-0" : value);
    return this.#print(column, text);
  }

  /** As deparseConst and deparseParam write it. */
  constant(column: number, text: string): string {
    const { type } = definition.columns[column]!;
    const plain = type.replace("character varying(6)", "text");
    if (chance(0.25, this.next)) {
      this.parameters.push(chance(0.05, this.next) ? null : text);
      return `$${this.parameters.length}::${plain}`;
    }
    if (type === "boolean") return text === "t" ? "true" : "false";
    if (/^(integer|smallint|bigint|numeric|double|real)/.test(type)) {
      if (!/^[\d+eE.-]+$/.test(text)) return `'${text}'::${type}`;
      const number = /^[+-]/.test(text) ? `(${text})` : text;
      return type === "integer" || (type === "numeric" && /[.eE]/.test(text)) ? number : `${number}::${type}`;
    }
    return chance(0.5, this.next) ? literal(text) : `${literal(text)}::${plain}`;
  }

  column(ordered = false): number {
    for (;;) {
      const column = Math.floor(this.next() * definition.columns.length);
      if (!ordered || isOrdered(definition.columns[column]!.type)) return column;
    }
  }

  condition(prefix: string, depth = 0): string {
    const { next } = this;
    const shape = next();
    if (depth < 2 && shape < 0.12)
      return `(${[1, 2].map(() => this.condition(prefix, depth + 1)).join(pick([" OR ", " AND "], next))})`;
    if (depth < 2 && shape < 0.17) return `(NOT ${this.condition(prefix, depth + 1)})`;
    const column = this.column();
    const { name, type } = definition.columns[column]!;
    const reference = prefix + name;
    if (shape < 0.25) return `(${reference} IS ${chance(0.5, next) ? "NOT " : ""}NULL)`;
    if (type === "boolean" && shape < 0.6) return reference;
    if (shape < 0.38 && type === "text") {
      const pattern = pick(
        ["a%", "%b", "%a%", "_", "a_b", "a\\%b", "%😀%", "", "%", "ä", "%\\\\%", "a%b%"],
        next,
      );
      return `(${reference} ${pick(["~~", "!~~", "~~*"], next)} ${this.constant(column, pattern)})`;
    }
    if (shape < 0.5) {
      const many = Array.from({ length: Math.floor(next() * 4) }, () => this.value(column));
      const elements = many.map((text) =>
        /[{},"\\\s]|^$|^null$/i.test(text) ? `"${text.replace(/["\\]/g, "\\$&")}"` : text,
      );
      if (chance(0.15, next)) elements.push("NULL");
      const array = `{${elements.join(",")}}`;
      const plain = type.replace("character varying(6)", "text").replace("text[]", "text");
      if (type !== "text[]" && type !== "jsonb") {
        if (chance(0.3, next)) {
          this.parameters.push(array);
          return `(${reference} ${chance(0.8, next) ? "= ANY" : "<> ALL"} ($${this.parameters.length}::${plain}[]))`;
        }
        return `(${reference} ${chance(0.8, next) ? "= ANY" : "<> ALL"} (${literal(array)}::${plain}[]))`;
      }
    }
    if (shape < 0.56) {
      if (type === "text") return `(lower(${reference}) = ${this.constant(column, this.value(column))})`;
      if (type === "integer") return `((${reference} % 3) = 1)`;
      if (type === "jsonb") return `(${reference} @> '{"a": 1}')`;
      if (type === "text[]") return `(${reference} && '{a}'::text[])`;
    }
    if (shape < 0.62 && type === "integer")
      return `(${reference} < ${pick(["1.5", "9007199254740993::bigint", "0.5::double precision", "(-1)"], next)})`;
    const operator = pick(["=", "=", "=", "<>", "<", "<=", ">", ">="], next);
    const constant = this.constant(column, this.value(column));
    return chance(0.1, next)
      ? `(${constant} ${operator} ${reference})`
      : `(${reference} ${operator} ${constant})`;
  }

  where(prefix: string): string {
    const count = Math.floor(this.next() * 3.5);
    if (count === 0) return "";
    return ` WHERE ${Array.from({ length: count }, () => `(${this.condition(prefix)})`).join(" AND ")}`;
  }

  single(): Generated {
    const { next } = this;
    const outputs: (number | undefined)[] = [];
    const list = Array.from({ length: 1 + Math.floor(next() * 3) }, () => {
      if (chance(0.05, next)) {
        outputs.push(undefined);
        return pick(["NULL", "ctid", "16384"], next);
      }
      const column = this.column();
      outputs.push(column);
      return definition.columns[column]!.name;
    });
    outputs.push(0);
    const where = this.where("");
    let order = "";
    if (chance(0.5, next)) {
      const keys = Array.from({ length: 1 + Math.floor(next() * 2) }, () => {
        const column = this.column(chance(0.9, next));
        return `${definition.columns[column]!.name} ${pick(["ASC NULLS LAST", "DESC NULLS FIRST", "ASC NULLS FIRST", "DESC NULLS LAST"], next)}`;
      });
      order = ` ORDER BY ${[...keys, "id ASC NULLS LAST"].join(", ")}`;
    }
    let limit = "";
    if (order && chance(0.6, next)) {
      limit = ` LIMIT ${pick(["0", "1", "5", "40", "1000"], next)}::bigint`;
      if (chance(0.4, next)) limit += ` OFFSET ${pick(["0", "3", "500"], next)}::bigint`;
    }
    const sql = `SELECT ${[...list, "id"].join(", ")} FROM r.t${where}${order}${limit}`;
    return { sql, parameters: this.parameters, ordered: order !== "", outputs };
  }

  aggregate(): Generated {
    const { next } = this;
    const calls = Array.from({ length: 1 + Math.floor(next() * 3) }, () => {
      const column = definition.columns[this.column(true)]!;
      const call = pick(
        [
          "count(*)",
          `count(${column.name})`,
          "sum(i)",
          "sum(b)",
          "sum(s)",
          "min",
          "max",
          "avg(n2)",
          "count(DISTINCT t)",
        ],
        next,
      );
      return call === "min" || call === "max"
        ? `${call}(${column.type === "boolean" ? "i" : column.name})`
        : call;
    });
    if (chance(0.4, next)) {
      // Of numbers that are equal and look different, any may stand for the group.
      let group: string;
      do group = definition.columns[this.column(true)]!.name;
      while (group === "n");
      const sql = `SELECT ${group}, ${calls} FROM r.t${this.where("")} GROUP BY 1${chance(0.3, next) ? " HAVING ((count(*) > 2))" : ""}`;
      return { sql, parameters: this.parameters, ordered: false, outputs: [] };
    }
    return {
      sql: `SELECT ${calls} FROM r.t${this.where("")}`,
      parameters: this.parameters,
      ordered: false,
      outputs: [],
    };
  }

  join(): Generated {
    const { next } = this;
    const key = pick(["id", "i", "t", "v", "u", "o"], next);
    const type = pick(["INNER", "LEFT", "RIGHT", "FULL"], next);
    const onExtra =
      chance(0.4, next) && type !== "FULL" ? ` AND (${this.condition(pick(["r1.", "r2."], next))})` : "";
    const where = this.where(pick(["r1.", "r2."], next));
    const shape = next();
    if (shape < 0.2) {
      const sql = `SELECT r1.id FROM r.t r1 WHERE (${this.condition("r1.")}) AND ${chance(0.3, next) ? "NOT " : ""}EXISTS (SELECT NULL FROM r.u r2 WHERE (${this.condition("r2.")}) AND ((r1.${key} = r2.${key})))`;
      return { sql, parameters: this.parameters, ordered: false, outputs: [] };
    }
    const whole = chance(0.2, next) ? ", CASE WHEN (r2.*)::text IS NOT NULL THEN ROW(r2.id, r2.t) END" : "";
    const from = `(r.t r1 ${type} JOIN r.u r2 ON (((r1.${key} = r2.${key}))${onExtra}))`;
    const sql =
      shape < 0.4
        ? `SELECT count(*), min(r2.id) FROM ${from}${where}`
        : `SELECT r1.id, r2.id, r2.t${whole} FROM ${from}${where}`;
    return { sql, parameters: this.parameters, ordered: false, outputs: [] };
  }
}
