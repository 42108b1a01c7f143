import { once } from "node:events";
import { type Row, SqlError } from "@overcoat/sources";
import type { CopyStreamQuery } from "pg-copy-streams";
import { type Text, textOf } from "../evaluate/text.ts";
import { typeInSql } from "../evaluate/type.ts";
import { formName, quoteIdentifier } from "../statement/lexical.ts";
import type { Relation } from "./relation.ts";
import { asSqlError, type ScratchClient } from "./scratch-session.ts";
import { ctidColumn, identityColumn, scratchTable } from "./scratch-text.ts";
import { columnTypes } from "./table.ts";

/** A form's table as the scratch database holds it. */
export interface ScratchTable {
  /** Its number in the form. */
  readonly number: number;
  readonly relation: Relation;
  /** Columns in the order of the rows' values. */
  readonly columns: readonly number[];
  /** Whether a ctid follows a row's columns. */
  readonly ctid: boolean;
  /** Whether an identity does, and a ctid, if there is one, follows it. */
  readonly identity: boolean;
  /** Columns that are kept a second time, under `oldColumn`, for what an UPDATE replaces. */
  readonly old: readonly number[];
}

const emptyColumn = quoteIdentifier("overcoat none");

export function oldColumn(column: number): string {
  return quoteIdentifier(`overcoat old ${column}`);
}

/** PostgreSQL's own collation of UTF-8, from 17 on, stands for the system's, which may be missing. */
function collationInSql(collation: string, version: number): string {
  if (collation === "C") return 'pg_catalog."C"';
  if (collation !== "pg_c_utf8" && collation !== "C.utf8")
    throw new SqlError("42704", `the collation ${JSON.stringify(collation)} is not supported`);
  return version >= 170000 ? 'pg_catalog."pg_c_utf8"' : 'pg_catalog."C.utf8"';
}

const collatable = new Set(["text", "varchar", "bpchar"]);

export function createTable(table: ScratchTable, longNames: readonly string[], version: number): string {
  const { relation, columns, ctid, identity, old } = table;
  const types = columnTypes(relation.definition);
  const collation = collationInSql(relation.collation, version);
  const typeSql = (column: number) => {
    const type = types[column]!;
    return `${typeInSql(type)}${collatable.has(type.name) ? ` COLLATE ${collation}` : ""}`;
  };
  const definitions = [
    ...columns.map(
      (column) =>
        `${quoteIdentifier(formName(relation.definition.columns[column]!.name, longNames))} ${typeSql(column)}`,
    ),
    ...(ctid ? [`${ctidColumn} pg_catalog.tid`] : []),
    ...(identity ? [`${identityColumn} pg_catalog.text`] : []),
    ...old.map((column) => `${oldColumn(column)} ${typeSql(column)}`),
  ];
  return `CREATE TEMPORARY TABLE ${scratchTable(table.number)} (${definitions.length > 0 ? definitions : `${emptyColumn} pg_catalog.bool`}) ON COMMIT DROP`;
}

const chunkSize = 64 * 1024;

/** Sends rows by COPY, waiting where the server is slower. */
export class RowsToScratch {
  readonly #stream: CopyStreamQuery;
  readonly #table: ScratchTable;
  readonly #line: (row: Row) => string;
  #failure: unknown;
  #text = "";

  constructor(client: ScratchClient, table: ScratchTable) {
    this.#table = table;
    this.#line = copyLine(table);
    this.#stream = client.copy(`COPY ${scratchTable(table.number)} FROM STDIN`);
    this.#stream.on("error", (error) => {
      this.#failure = error;
    });
  }

  async send(rows: readonly Row[]): Promise<void> {
    for (const row of rows) {
      this.#text += this.#line(row);
      if (this.#text.length >= chunkSize) await this.#flush();
    }
  }

  async end(): Promise<void> {
    await this.#flush();
    if (!this.#failure) {
      const finished = once(this.#stream, "finish");
      this.#stream.end();
      await finished.catch(() => {});
    }
    this.#throwFailure();
  }

  /** Leaves the COPY, which then fails. */
  async abort(): Promise<void> {
    this.#stream.destroy();
    if (!this.#stream.closed) await once(this.#stream, "close").catch(() => {});
  }

  async #flush(): Promise<void> {
    this.#throwFailure();
    const text = this.#text;
    this.#text = "";
    if (text !== "" && !this.#stream.write(text)) await once(this.#stream, "drain").catch(() => {});
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (!this.#failure) return;
    const error = asSqlError(this.#failure);
    const { name, columns } = this.#table.relation.definition;
    // PostgreSQL tells the place as `COPY overcoat 0, line 1, column n: "x"`.
    const { where } = this.#failure as { where?: string };
    const column = columns.find((candidate) => where?.includes(`, column ${candidate.name}`));
    throw new SqlError(error.sqlState, error.message, {
      detail: column ? `Column ${column.name} of table ${name}.` : `Table ${name}.`,
      cause: this.#failure,
    });
  }
}

/** A row in COPY's text format: https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.55.9.2 */
function copyLine({ relation, columns, ctid, identity, old }: ScratchTable): (row: Row) => string {
  const types = columnTypes(relation.definition);
  const texts = columns.map((column) => textOf(types[column]!));
  const oldIndexes = old.map((column) => columns.indexOf(column));
  const length = columns.length;
  return (row) => {
    const fields: string[] = [];
    for (let index = 0; index < length; index++) fields.push(copyField(texts[index]!(row[index]!)));
    if (ctid) fields.push(row[identity ? length + 1 : length] as string);
    if (identity) fields.push(copyField(row[length] as string));
    for (const index of oldIndexes) fields.push(fields[index]!);
    return fields.length > 0 ? `${fields.join("\t")}\n` : "\\N\n";
  };
}

const special = /[\\\b\f\n\r\t\v]/;
const escapes: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

function copyField(text: Text): string {
  if (text === null) return "\\N";
  const characters =
    typeof text === "string" ? text : Buffer.from(text.buffer, text.byteOffset, text.length).toString();
  if (!special.test(characters)) return characters;
  return characters.replace(/[\\\b\f\n\r\t\v]/g, (character) => escapes[character]!);
}
