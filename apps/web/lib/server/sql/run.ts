import pg from "pg";
import { type Role, withConnection } from "./connection.ts";
import { type Batch, batchesOf, type TextRow } from "./cursor.ts";
import { requestsOf, type ServiceRequest } from "./requests.ts";

export const mostRows = 1000;
const batch = 200;
/** Characters that a cell shows, and an answer holds. */
const longestCell = 10_000;
const longestAnswer = 8_000_000;

export interface Answer {
  readonly columns: readonly { readonly name: string; readonly type: number }[];
  /** As PostgreSQL writes them. */
  readonly rows: readonly TextRow[];
  /** Whether there are more rows than these. */
  readonly isCut: boolean;
  /** `SELECT 3`, `CREATE TABLE`: what was done, of the last statement. */
  readonly command: string;
  readonly milliseconds: number;
  /** What each service was asked, where that is known. */
  readonly requests?: readonly ServiceRequest[];
}

/**
 * Runs what a reader typed: as `reader` one statement in a transaction that can only read, as `owner` any number of
 * statements. Reading stops after 1,000 rows.
 * @throws pg.DatabaseError
 */
export async function runSql(text: string, role: Role, signal: AbortSignal): Promise<Answer> {
  const requests = role === "reader" ? requestsOf(text, signal) : undefined;
  const answer = await withConnection(role, signal, (client) =>
    role === "reader" ? read(client, text) : change(client, text),
  );
  return { ...answer, requests: await requests };
}

async function read(client: pg.Client, text: string): Promise<Answer> {
  await client.query("BEGIN READ ONLY");
  const start = performance.now();
  const rows = new Rows();
  let fields: Batch["fields"] = [];
  for await (const read of batchesOf(client, text, batch)) {
    fields = read.fields;
    for (const row of read.rows) rows.add(row);
    if (rows.isCut) break;
  }
  const { kept, isCut } = rows;
  const milliseconds = performance.now() - start;
  return { columns: columnsOf(fields), rows: kept, isCut, command: `SELECT ${kept.length}`, milliseconds };
}

async function change(client: pg.Client, text: string): Promise<Answer> {
  const start = performance.now();
  let rows = new Rows();
  let of: unknown;
  // With a listener of its own rows are not gathered, however many there are.
  const query = new pg.Query<string[]>({ text, rowMode: "array" } as pg.QueryConfig);
  query.on("row", (row: TextRow, result: unknown) => {
    if (result !== of) {
      of = result;
      rows = new Rows();
    }
    rows.add(row);
  });
  const done = Promise.withResolvers<pg.QueryResult | pg.QueryResult[]>();
  query.on("error", done.reject);
  query.on("end", done.resolve as never);
  client.query(query);
  const results = [await done.promise].flat();
  const last = results.at(-1);
  const shown = results.findLast(({ fields }) => fields.length > 0);
  const count = last?.rowCount ?? undefined;
  return {
    columns: columnsOf(shown?.fields ?? []),
    rows: rows.kept,
    isCut: rows.isCut,
    command: [last?.command, count].filter((part) => part !== undefined).join(" "),
    milliseconds: performance.now() - start,
  };
}

const columnsOf = (fields: Batch["fields"]) =>
  fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID }));

/** The first rows of an answer, with what is too long cut. */
class Rows {
  readonly kept: TextRow[] = [];
  isCut = false;
  #length = 0;

  get isFull(): boolean {
    return this.kept.length >= mostRows || this.#length >= longestAnswer;
  }

  add(row: TextRow): void {
    if (this.isFull) {
      this.isCut = true;
      return;
    }
    const cells = row.map((cell) =>
      cell !== null && cell.length > longestCell ? `${cell.slice(0, longestCell)}…` : cell,
    );
    for (const cell of cells) this.#length += cell?.length ?? 0;
    this.kept.push(cells);
  }
}
