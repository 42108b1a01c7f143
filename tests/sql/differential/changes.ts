import { constant, literal, where } from "./conditions.ts";
import type { Random } from "./random.ts";
import type { ComparedTable, GeneratedQuery } from "./table.ts";

/** What the service lets be changed. */
export interface ChangeOptions {
  readonly textOrder: boolean;
  /** Columns that an UPDATE may set, and to what: also to NULL, to any other value, or to its samples only. */
  readonly settable: Readonly<Record<string, "any" | "not null" | "samples">>;
  /** A row to insert, as literals by column; new for each number. */
  insert(random: Random, number: number): Readonly<Record<string, string>>;
}

/** INSERT, UPDATE or DELETE with RETURNING, of a few rows. */
export function anyChange(random: Random, table: ComparedTable, options: ChangeOptions): GeneratedQuery {
  const returning = random.chance(0.7)
    ? ` RETURNING ${
        random.chance(0.5)
          ? "*"
          : random
              .some(table.columns)
              .map(({ name }) => name)
              .join(", ")
      }`
    : "";
  return {
    text: random.pick([insert, update, update, remove])(random, table, options) + returning,
    ordered: false,
  };
}

type Change = (random: Random, table: ComparedTable, options: ChangeOptions) => string;

const insert: Change = (random, _table, options) => {
  const rows = Array.from({ length: random.integer(1, 3) }, () =>
    options.insert(random, random.integer(100_000, 999_999_999)),
  );
  const names = Object.keys(rows[0]!);
  return `INSERT INTO {t} (${names.join(", ")}) VALUES ${rows
    .map((row) => `(${names.map((name) => row[name]).join(", ")})`)
    .join(", ")}`;
};

/** Rows that a change is about: by key, by a condition, by a condition that is not shipped, by a join. */
function rows(random: Random, table: ComparedTable, { textOrder }: ChangeOptions): string {
  const key = table.columns.find(({ name }) => name === table.key)!;
  const unique = table.columns.find(({ name }) => name === table.unique)!;
  const condition = where(random, table, "{t}", textOrder, 1);
  return random.pick([
    `{t}.${key.name} = ${constant(random, key)}`,
    `{t}.${key.name} IN (${constant(random, key)}, ${constant(random, key)})`,
    condition,
    `{t}.${unique.name} < ${constant(random, unique)}`,
    `{t}.${unique.name} <= ${constant(random, unique)} AND random() >= 0`,
    `{t}.${key.name} IN (SELECT k FROM {ids} WHERE n < ${random.integer(0, 9)})`,
  ]);
}

const update: Change = (random, table, options) => {
  const set = random.some(Object.entries(options.settable)).map(([name, to]) => {
    const column = table.columns.find((column) => column.name === name)!;
    const values = [constant(random, column), constant(random, column), name];
    if (to === "any") values.push("NULL");
    if (to !== "samples") {
      if (column.type === "text") values.push(`${name} || ${literal("é'\\")}`, `upper(${name})`);
      if (column.type === "integer" || column.type === "numeric") values.push(`${name} / 2`, `abs(${name})`);
    }
    return `${name} = ${random.pick(values)}`;
  });
  return `UPDATE {t} SET ${set.join(", ")} WHERE ${rows(random, table, options)}`;
};

const remove: Change = (random, table, options) => `DELETE FROM {t} WHERE ${rows(random, table, options)}`;
