import type { Random } from "./random.ts";
import type { ComparedColumn, ComparedTable } from "./table.ts";

/** An SQL string literal. */
export function literal(value: string): string {
  return value.includes("\\")
    ? `E'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`
    : `'${value.replaceAll("'", "''")}'`;
}

/** A value of the column, or one near it, as a typed literal. */
export function constant(random: Random, column: ComparedColumn): string {
  return `${literal(random.pick(column.samples))}::${column.type}`;
}

const comparisons = ["=", "<>", "<", "<=", ">", ">="] as const;
const equality = ["=", "<>"] as const;

/** Any condition on one column; `textOrder` says whether text may be compared by order. */
export function condition(random: Random, column: ComparedColumn, name: string, textOrder: boolean): string {
  if (random.chance(0.1)) return `${name} IS ${random.pick(["NULL", "NOT NULL"])}`;
  if (random.chance(0.06))
    return `${name} IS ${random.pick(["", "NOT "])}DISTINCT FROM ${constant(random, column)}`;
  const ordered = column.type !== "text" || textOrder;
  if (column.type !== "jsonb" && random.chance(0.15)) {
    const values = Array.from({ length: random.integer(1, 5) }, () => constant(random, column));
    if (random.chance(0.2)) values.push("NULL");
    return `${name} ${random.pick(["IN", "IN", "NOT IN"])} (${values.join(", ")})`;
  }
  if (ordered && column.type !== "jsonb" && column.type !== "boolean" && random.chance(0.1)) {
    return `${name} BETWEEN ${constant(random, column)} AND ${constant(random, column)}`;
  }
  if (random.chance(0.5)) {
    const operators = ordered && column.type !== "jsonb" ? comparisons : equality;
    return random.chance(0.85)
      ? `${name} ${random.pick(operators)} ${constant(random, column)}`
      : `${constant(random, column)} ${random.pick(operators)} ${name}`;
  }
  return special[column.type](random, column, name);
}

const special: Record<
  ComparedColumn["type"],
  (random: Random, column: ComparedColumn, name: string) => string
> = {
  text(random, column, name) {
    const sample = random.pick(column.samples);
    const part = [...sample]
      .slice(0, random.integer(1, 3))
      .join("")
      .replaceAll(/[\\%_]/g, "\\$&");
    const first = [...sample][0]?.replaceAll(/[^\p{L}\p{N}]/gu, ".") ?? "a";
    return random.pick([
      `${name} LIKE ${literal(`${part}%`)}`,
      `${name} LIKE ${literal(`%${part}`)}`,
      `${name} LIKE ${literal(`%${part}%`)}`,
      `${name} LIKE ${literal(`_${part}%`)}`,
      `${name} NOT LIKE ${literal(`${part}%`)}`,
      `${name} LIKE ${literal(sample.replaceAll(/[\\%_]/g, "\\$&"))}`,
      `${name} ILIKE ${literal(`${part.toUpperCase()}%`)}`,
      `${name} NOT ILIKE ${literal(`%${part}%`)}`,
      `${name} ~ ${literal(`^${first}`)}`,
      `${name} !~ ${literal(`${first}+$`)}`,
      `${name} ~* ${literal(`${first}.?`)}`,
      `lower(${name}) = lower(${literal(sample)})`,
      `upper(${name}) <> upper(${literal(sample)})`,
      `length(${name}) ${random.pick(["<", "=", ">"])} ${random.integer(0, 8)}`,
      `octet_length(${name}) > char_length(${name})`,
      `${name} || 'x' = ${literal(`${sample}x`)}`,
      `starts_with(${name}, ${literal([...sample][0] ?? "a")})`,
      `substr(${name}, 1, 2) = ${literal([...sample].slice(0, 2).join(""))}`,
      `${name} = ANY (ARRAY[${column.samples.slice(0, 3).map(literal).join(", ")}])`,
      `coalesce(${name}, 'none') = ${literal(random.pick([sample, "none"]))}`,
      `trim(${name}) = ''`,
    ]);
  },
  integer: number,
  bigint: number,
  numeric: number,
  "double precision": number,
  boolean(random, _column, name) {
    return random.pick([
      name,
      `NOT ${name}`,
      `${name} IS TRUE`,
      `${name} IS NOT TRUE`,
      `${name} IS FALSE`,
      `${name} IS UNKNOWN`,
      `(${name} AND ${name} IS NOT NULL)`,
      `CASE WHEN ${name} THEN 1 ELSE 2 END = 1`,
    ]);
  },
  date(random, column, name) {
    return random.pick([
      `${name} + 1 > ${constant(random, column)}`,
      `extract(year FROM ${name}) = ${random.integer(1999, 2026)}`,
      `${name} < current_date`,
      `${name} - ${constant(random, column)} > ${random.integer(-400, 400)}`,
      `${name} >= ${constant(random, column)} - interval '1 month'`,
    ]);
  },
  "timestamp with time zone"(random, column, name) {
    return random.pick([
      `${name} > ${constant(random, column)} - interval '1 day'`,
      `date_trunc('month', ${name}) = date_trunc('month', ${constant(random, column)})`,
      `extract(hour FROM ${name} AT TIME ZONE 'UTC') < ${random.integer(1, 24)}`,
      `${name} < now()`,
      `${name}::date = ${constant(random, column)}::date`,
    ]);
  },
  jsonb(random, column, name) {
    return random.pick([
      `${name} @> ${constant(random, column)}`,
      `${name} <@ ${constant(random, column)}`,
      `${name} ? 'a'`,
      `${name} ?| ARRAY['a', 'zz']`,
      `${name} ->> 'a' = ${literal(String(random.integer(0, 5)))}`,
      `(${name} -> 'a') IS NULL`,
      `jsonb_typeof(${name}) = ${literal(random.pick(["object", "array", "string", "number", "null", "boolean"]))}`,
      `${name} #>> '{b,0}' IS NOT NULL`,
      `${name}::text LIKE '%a%'`,
    ]);
  },
  uuid(random, column, name) {
    return random.pick([
      `${name}::text LIKE ${literal(`${random.pick(column.samples).slice(0, 2)}%`)}`,
      `${name} = ANY (ARRAY[${constant(random, column)}, ${constant(random, column)}])`,
    ]);
  },
};

/** Nothing here can overflow: which operand of AND fails first is not defined. */
function number(random: Random, column: ComparedColumn, name: string): string {
  return random.pick([
    `${name}::numeric + 1 > ${constant(random, column)}`,
    `${name} / 2 <= 3`,
    `abs(${name}::numeric) < 10`,
    `- (${name} / 2) > 0`,
    `${name}::numeric % 3 = 1`,
    `${name}::text LIKE '1%'`,
    `${name} > 1.5`,
    `round(${name}::numeric, 1) = ${random.integer(-3, 12)}`,
    `sign(${name}) = 1`,
    `greatest(${name}, 3) = 3`,
    `coalesce(${name}, 0) = 0`,
    `nullif(${name}, 0) IS NULL`,
  ]);
}

/** A condition over several columns, of bounded depth; often on the key, which services have most ways to look for. */
export function where(
  random: Random,
  table: ComparedTable,
  alias: string,
  textOrder: boolean,
  depth = 2,
): string {
  if (depth === 0 || random.chance(0.4)) {
    const { columns, key } = table;
    const column = random.chance(0.25) ? columns.find(({ name }) => name === key)! : random.pick(columns);
    return condition(random, column, `${alias}.${column.name}`, textOrder);
  }
  const parts = Array.from({ length: random.integer(2, 3) }, () =>
    where(random, table, alias, textOrder, depth - 1),
  );
  const joined = `(${parts.join(random.pick([" AND ", " AND ", " OR "]))})`;
  return random.chance(0.15) ? `NOT ${joined}` : joined;
}
