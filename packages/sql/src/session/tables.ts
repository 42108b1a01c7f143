import { type Connection, type Source, SqlError, type TableDefinition } from "@overcoat/sources";
import { explainOption, type LinkedTable, linkedSchema } from "../link/link.ts";
import { RecentlyUsed } from "../statement/recently-used.ts";
import type { OpenTable } from "../transaction/writes.ts";
import { parseLinkedTable } from "./link-options.ts";
import { withoutSynonyms } from "./secrets.ts";

/** A linked table as its text tells it. */
export interface ReadTable {
  readonly definition: TableDefinition;
  readonly collation: string;
  /** The statement whose requests are the table's rows (see `explainOption`). */
  readonly explained: string | undefined;
}

/** Characters of table texts whose definitions are kept. */
const keptText = 16 * 1024 * 1024;
const importedKept = 60_000;
const mostImported = 10_000;

/** The tables that statements name: those that the linker wrote, and those that stock postgres_fdw imported. */
export class Tables {
  readonly #source: Source;
  readonly #linked = new RecentlyUsed<string, ReadTable>(keptText);
  /** What a service told of its own tables, by schema and name. */
  readonly #imported = new Map<string, { readonly definition: TableDefinition; readonly until: number }>();

  constructor(source: Source) {
    this.#source = source;
  }

  /** @throws SqlError 42P01 for a text that the linker would not write */
  read(text: string): ReadTable {
    let read = this.#linked.get(text);
    if (!read) {
      read = this.#read(parseLinkedTable(text));
      this.#linked.set(text, read, text.length);
    }
    return read;
  }

  /** @throws SqlError 42P01 when there is no such table, and what `Connection.table` throws */
  open(connection: Connection, schema: string, name: string): OpenTable | Promise<OpenTable> {
    const key = `${schema}.${name}`;
    if (schema === linkedSchema) {
      const { definition, collation } = this.read(name);
      return { key, table: connection.table(definition), collation };
    }
    const known = this.#imported.get(key);
    if (known && known.until > Date.now()) return imported(connection, key, known.definition);
    return this.#import(connection, schema, name).then((definition) => imported(connection, key, definition));
  }

  #read({ table, options = {}, columns, collation = "pg_c_utf8", remote }: LinkedTable): ReadTable {
    const { [explainOption]: explained, ...rest } = options;
    const descriptions = this.#source.options;
    return {
      definition: {
        name: table,
        options: withoutSynonyms(rest, descriptions.table),
        columns: columns.map(([name, type, columnOptions = {}]) => ({
          name,
          type,
          options: withoutSynonyms(columnOptions, descriptions.column),
        })),
        ...(remote && { remote: { schema: remote[0], name: remote[1] } }),
      },
      collation,
      explained,
    };
  }

  async #import(connection: Connection, schema: string, name: string): Promise<TableDefinition> {
    const definition = (await connection.tables?.(schema, [name]))?.find((table) => table.name === name);
    if (!definition)
      throw new SqlError("42P01", `the service offers no table "${name}" in a schema "${schema}"`, {
        hint: "IMPORT FOREIGN SCHEMA tells which there are.",
      });
    const complete = { remote: { schema, name }, ...definition };
    if (this.#imported.size >= mostImported) this.#imported.clear();
    this.#imported.set(`${schema}.${name}`, { definition: complete, until: Date.now() + importedKept });
    return complete;
  }
}

/** IMPORT FOREIGN SCHEMA gives text columns the collation that every database has. */
function imported(connection: Connection, key: string, definition: TableDefinition): OpenTable {
  return { key, table: connection.table(definition), collation: "C" };
}
