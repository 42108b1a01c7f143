import { SqlError } from "@overcoat/sources";
import { readIdentifier, readString } from "./lexical.ts";
import type { Statement, TableName } from "./statement.ts";

const string = String.raw`(E'(?:[^'\\]|''|\\[\s\S])*'|'(?:[^']|'')*')`;
const strings = `\\(((?:${string}(?:, )?)+)\\)`;
const name = "([a-z_][a-z0-9_]*)";

type Groups = readonly (string | undefined)[];

/** Statements of connection.c, option.c and postgres_fdw.c that hold neither expressions nor tables of FROM. */
const rules: readonly (readonly [pattern: RegExp, read: (groups: Groups) => Statement])[] = [
  [
    /^FETCH (\d{1,10}) FROM (c\d+)$/,
    ([, count, cursor]) => ({ kind: "fetch", count: Number(count), cursor: cursor! }),
  ],
  [/^CLOSE (c\d+)$/, ([, cursor]) => ({ kind: "close", cursor: cursor! })],
  [/^MOVE BACKWARD ALL IN (c\d+)$/, ([, cursor]) => ({ kind: "rewind", cursor: cursor! })],
  [
    /^START TRANSACTION ISOLATION LEVEL (REPEATABLE READ|SERIALIZABLE)( READ ONLY)?( DEFERRABLE)?$/,
    ([, level, readOnly]) => ({
      kind: "begin",
      isolation: level === "SERIALIZABLE" ? "serializable" : "repeatable read",
      readOnly: readOnly !== undefined,
    }),
  ],
  [/^COMMIT TRANSACTION$/, () => ({ kind: "commit" })],
  [/^(?:ABORT|ROLLBACK) TRANSACTION$/, () => ({ kind: "rollback" })],
  [/^SAVEPOINT (s\d+)$/, ([, savepoint]) => ({ kind: "savepoint", name: savepoint! })],
  [/^RELEASE SAVEPOINT (s\d+)$/, ([, savepoint]) => ({ kind: "release", name: savepoint! })],
  [/^ROLLBACK TO SAVEPOINT (s\d+)$/, ([, savepoint]) => ({ kind: "rollback to", name: savepoint! })],
  [/^DEALLOCATE ALL$/, () => ({ kind: "deallocate", name: undefined })],
  [new RegExp(`^DEALLOCATE ${name}$`), ([, statement]) => ({ kind: "deallocate", name: statement! })],
  [
    new RegExp(`^SET ${name} = (?:${string}|([\\w.-]+))$`),
    ([, variable, quoted, bare]) => ({
      kind: "set",
      name: variable!,
      value: quoted === undefined ? bare! : readString(quoted),
    }),
  ],
  [
    new RegExp(`^SET ${name} = ([\\w.]+(?:, [\\w.]+)*)$`),
    ([, variable, value]) => ({ kind: "set", name: variable!, value: value! }),
  ],
  [
    new RegExp(`^SELECT pg_catalog\\.pg_relation_size\\(${string}::pg_catalog\\.regclass\\) / \\d+$`),
    ([, table]) => ({ kind: "relation size", table: readTable(readString(table!)) }),
  ],
  [
    new RegExp(
      `^SELECT reltuples(?:, relkind)? FROM pg_catalog\\.pg_class WHERE oid = ${string}::pg_catalog\\.regclass$`,
    ),
    ([, table]) => ({ kind: "relation statistics", table: readTable(readString(table!)) }),
  ],
  [
    new RegExp(`^SELECT 1 FROM pg_catalog\\.pg_namespace WHERE nspname = ${string}$`),
    ([, schema]) => ({ kind: "schema exists", schema: readString(schema!) }),
  ],
  [
    new RegExp(
      "^SELECT relname, +attname, +format_type\\(atttypid, atttypmod\\), +attnotnull, " +
        // PostgreSQL 14 has the two the other way round.
        "+(?:pg_get_expr\\(adbin, adrelid\\)|attgenerated), +(?:pg_get_expr\\(adbin, adrelid\\)|attgenerated|NULL), +(collname|NULL), +(?:collnsp\\.nspname|NULL) +" +
        "FROM pg_class c [\\w\\s=.>]+" +
        `WHERE c\\.relkind IN \\('r', ?'v', ?'f', ?'m', ?'p'\\) +AND n\\.nspname = ${string}(?: +AND NOT c\\.relispartition)?` +
        `(?: +AND c\\.relname (NOT )?IN ${strings})? +ORDER BY c\\.relname, a\\.attnum$`,
    ),
    ([, collation, schema, not, list]) => {
      const tables = list?.match(new RegExp(string, "g"))?.map(readString);
      return {
        kind: "import",
        schema: readString(schema!),
        ...(tables && (not ? { except: tables } : { limitTo: tables })),
        collate: collation === "collname",
      };
    },
  ],
];

/** The statement, if it is one of those that postgres_fdw sends in one form only. */
export function fixedStatement(sql: string): Statement | undefined {
  for (const [pattern, read] of rules) {
    const groups = pattern.exec(sql);
    if (groups) return read(groups);
  }
  return undefined;
}

const identifier = '("(?:[^"]|"")*"|[a-z_][a-z0-9_]*)';
const tablePattern = new RegExp(`^${identifier}\\.${identifier}$`);

/** `schema.name` as postgres_fdw quotes it inside a string. */
function readTable(text: string): TableName {
  const [, schema, table] = tablePattern.exec(text) ?? [];
  if (!schema || !table)
    throw new SqlError("42602", `invalid name syntax: ${JSON.stringify(text.slice(0, 100))}`);
  const read = (part: string) => (part.startsWith('"') ? readIdentifier(part) : part);
  return { schema: read(schema), name: read(table) };
}
