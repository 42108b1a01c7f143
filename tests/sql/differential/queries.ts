import { condition, constant, where } from "./conditions.ts";
import type { Random } from "./random.ts";
import type { ComparedColumn, ComparedTable, GeneratedQuery } from "./table.ts";

/** What a database's collation allows to be compared. */
export interface QueryOptions {
  /** Whether the local text sorts as the foreign one does, by code point. */
  readonly textOrder: boolean;
}

type Shape = (random: Random, table: ComparedTable, options: QueryOptions) => GeneratedQuery;

/** Any query of all shapes. */
export const anyQuery: Shape = (random, table, options) => random.pick(shapes)(random, table, options);

const list = (columns: readonly ComparedColumn[], alias: string) =>
  columns.map(({ name }) => `${alias}.${name}`).join(", ");

function sortable(table: ComparedTable, { textOrder }: QueryOptions): ComparedColumn[] {
  return table.columns.filter(({ type }) => type !== "jsonb" && (type !== "text" || textOrder));
}

const numbers = (table: ComparedTable) =>
  table.columns.filter(({ type }) => type === "integer" || type === "bigint" || type === "numeric");

function order(random: Random, table: ComparedTable, options: QueryOptions, alias: string): string {
  const keys = Array.from({ length: random.integer(0, 2) }, () => random.pick(sortable(table, options))).map(
    ({ name }) =>
      `${alias}.${name}${random.pick(["", " ASC", " DESC"])}${random.pick(["", " NULLS FIRST", " NULLS LAST"])}`,
  );
  return `ORDER BY ${[...keys, `${alias}.${table.unique}`].join(", ")}`;
}

const page = (random: Random) =>
  `LIMIT ${random.integer(0, 12)}${random.chance(0.4) ? ` OFFSET ${random.integer(0, 30)}` : ""}`;

const filtered: Shape = (random, table, options) => ({
  text: `SELECT ${list(random.some(table.columns), "a")} FROM {t} a WHERE ${where(random, table, "a", options.textOrder)}`,
  ordered: false,
});

const sorted: Shape = (random, table, options) => ({
  text: [
    `SELECT ${list(random.some(table.columns), "a")}, a.${table.unique} FROM {t} a`,
    random.chance(0.6) ? `WHERE ${where(random, table, "a", options.textOrder, 1)}` : "",
    order(random, table, options, "a"),
    random.chance(0.7) ? page(random) : "",
  ].join(" "),
  ordered: true,
});

const byKey: Shape = (random, table, options) => {
  const key = table.columns.find(({ name }) => name === table.key)!;
  const text = `SELECT * FROM {t} a WHERE ${random.pick([
    `a.${key.name} = ${constant(random, key)}`,
    `a.${key.name} IN (${Array.from({ length: 4 }, () => constant(random, key)).join(", ")})`,
    `a.${key.name} = ${constant(random, key)} AND ${where(random, table, "a", options.textOrder, 0)}`,
  ])}`;
  return { text, ordered: false };
};

const expressions: Shape = (random, table, options) => {
  const number = random.pick(numbers(table)).name;
  const text = random.pick(table.columns.filter(({ type }) => type === "text")).name;
  return {
    text: `SELECT a.${number} / 2, a.${number}::text || 'x', upper(a.${text}), length(a.${text}), coalesce(a.${text}, '-'), CASE WHEN ${condition(random, random.pick(table.columns.filter(({ name }) => name === number)), `a.${number}`, options.textOrder)} THEN 'yes' ELSE 'no' END, NULL, 1 FROM {t} a WHERE ${where(random, table, "a", options.textOrder, 1)}`,
    ordered: false,
  };
};

const counted: Shape = (random, table, options) => ({
  text: `SELECT count(*)${random.chance(0.5) ? `, count(a.${random.pick(table.columns).name})` : ""} FROM {t} a${random.chance(0.6) ? ` WHERE ${where(random, table, "a", options.textOrder, 1)}` : ""}`,
  ordered: false,
});

function aggregates(random: Random, table: ComparedTable, options: QueryOptions, alias: string): string {
  const number = random.pick(numbers(table)).name;
  const ordered = random.pick(
    sortable(table, options).filter(({ type }) => type !== "boolean" && type !== "uuid"),
  );
  const any = random.pick(table.columns).name;
  const text = random.pick(table.columns.filter(({ type }) => type === "text")).name;
  const boolean = table.columns.find(({ type }) => type === "boolean")?.name;
  return random
    .some([
      "count(*)",
      `count(${alias}.${any})`,
      `count(DISTINCT ${alias}.${text})`,
      `sum(${alias}.${number})`,
      `avg(${alias}.${number})`,
      `min(${alias}.${ordered.name})`,
      `max(${alias}.${ordered.name})`,
      `string_agg(${alias}.${text}, ',' ORDER BY ${alias}.${table.unique})`,
      `array_agg(${alias}.${number} ORDER BY ${alias}.${table.unique})`,
      `count(*) FILTER (WHERE ${alias}.${number} > 2)`,
      `variance(${alias}.${number}) IS NULL`,
      ...(boolean ? [`bool_and(${alias}.${boolean})`, `bool_or(${alias}.${boolean})`] : []),
    ])
    .join(", ");
}

const grouped: Shape = (random, table, options) => {
  const groups = random.some(table.groups).map((name) => `a.${name}`);
  return {
    text: [
      `SELECT ${groups.join(", ")}, ${aggregates(random, table, options, "a")} FROM {t} a`,
      random.chance(0.5) ? `WHERE ${where(random, table, "a", options.textOrder, 1)}` : "",
      `GROUP BY ${groups.join(", ")}`,
      random.chance(0.3) ? `HAVING count(*) > ${random.integer(0, 5)}` : "",
    ].join(" "),
    ordered: false,
  };
};

const aggregated: Shape = (random, table, options) => ({
  text: `SELECT ${aggregates(random, table, options, "a")} FROM {t} a${random.chance(0.5) ? ` WHERE ${where(random, table, "a", options.textOrder, 1)}` : ""}`,
  ordered: false,
});

const distinct: Shape = (random, table, options) => ({
  text: `SELECT DISTINCT ${random
    .some(table.groups)
    .map((name) => `a.${name}`)
    .join(", ")} FROM {t} a WHERE ${where(random, table, "a", options.textOrder, 1)}`,
  ordered: false,
});

const joinedWithLocal: Shape = (random, table, options) => ({
  text: `SELECT ids.n, ${list(random.some(table.columns), "a")} FROM {ids} ids ${random.pick(["JOIN", "LEFT JOIN"])} {t} a ON a.${table.key} = ids.k${random.chance(0.5) ? ` AND ${where(random, table, "a", options.textOrder, 1)}` : ""} WHERE ids.n < ${random.integer(1, 30)}`,
  ordered: false,
});

const joinedWithItself: Shape = (random, table, options) => {
  const group = random.pick([table.key, ...table.groups]);
  return {
    text: `SELECT a.${table.unique}, b.${table.unique} FROM {t} a ${random.pick(["JOIN", "LEFT JOIN", "FULL JOIN"])} {t} b ON a.${group} = b.${group} WHERE ${where(random, table, "a", options.textOrder, 1)} AND ${random.pick([`b.${table.unique} < 40`, where(random, table, "b", options.textOrder, 0)])}`,
    ordered: false,
  };
};

const rescanned: Shape = (random, table, options) => ({
  text: `SELECT ids.n, x.${table.unique} FROM {ids} ids CROSS JOIN LATERAL (SELECT a.* FROM {t} a WHERE a.${table.unique} >= ids.n AND ${where(random, table, "a", options.textOrder, 0)} ORDER BY a.${table.unique} LIMIT ${random.integer(1, 3)}) x WHERE ids.n < ${random.integer(2, 12)}`,
  ordered: false,
});

const correlated: Shape = (random, table, options) => {
  const inner = where(random, table, "b", options.textOrder, 1);
  const group = random.pick(table.groups);
  return {
    text: random.pick([
      `SELECT a.${table.unique} FROM {t} a WHERE EXISTS (SELECT 1 FROM {t} b WHERE b.${table.key} = a.${table.key} AND ${inner})`,
      `SELECT a.${table.unique} FROM {t} a WHERE NOT EXISTS (SELECT 1 FROM {t} b WHERE b.${group} = a.${group} AND b.${table.unique} < a.${table.unique} AND ${inner})`,
      `SELECT a.${table.unique}, (SELECT count(*) FROM {t} b WHERE b.${group} = a.${group} AND ${inner}) FROM {t} a WHERE a.${table.unique} < 25`,
      `SELECT a.${table.unique} FROM {t} a WHERE a.${table.key} IN (SELECT b.${table.key} FROM {t} b WHERE ${inner})`,
      `SELECT a.${table.unique} FROM {t} a WHERE a.${table.key} NOT IN (SELECT b.${table.key} FROM {t} b WHERE ${inner})`,
      `SELECT ids.n FROM {ids} ids WHERE ids.k IN (SELECT b.${table.key} FROM {t} b WHERE ${inner})`,
    ]),
    ordered: false,
  };
};

const withCte: Shape = (random, table, options) => ({
  text: `WITH x AS ${random.pick(["", "MATERIALIZED ", "NOT MATERIALIZED "])}(SELECT a.* FROM {t} a WHERE ${where(random, table, "a", options.textOrder, 1)}) SELECT x.${table.unique}, y.${table.unique} FROM x JOIN x y ON y.${table.key} = x.${table.key}`,
  ordered: false,
});

const windowed: Shape = (random, table, options) => {
  const group = random.pick(table.groups);
  const number = random.pick(numbers(table)).name;
  return {
    text: `SELECT a.${table.unique}, ${random.pick([
      `row_number() OVER (PARTITION BY a.${group} ORDER BY a.${table.unique})`,
      `sum(a.${number}) OVER (PARTITION BY a.${group})`,
      `lag(a.${number}) OVER (ORDER BY a.${table.unique})`,
      `rank() OVER (PARTITION BY a.${group} ORDER BY a.${number} DESC NULLS LAST)`,
    ])} FROM {t} a WHERE ${where(random, table, "a", options.textOrder, 1)}`,
    ordered: false,
  };
};

const combined: Shape = (random, table, options) => ({
  text: ["a", "b"]
    .map(
      (alias) =>
        `SELECT ${alias}.${table.unique}, ${alias}.${table.groups[0]} FROM {t} ${alias} WHERE ${where(random, table, alias, options.textOrder, 1)}`,
    )
    .join(random.pick([" UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT "])),
  ordered: false,
});

const shapes: readonly Shape[] = [
  filtered,
  filtered,
  filtered,
  sorted,
  sorted,
  byKey,
  expressions,
  counted,
  grouped,
  aggregated,
  distinct,
  joinedWithLocal,
  joinedWithItself,
  rescanned,
  correlated,
  withCte,
  windowed,
  combined,
];
