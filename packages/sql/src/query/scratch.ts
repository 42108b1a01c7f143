import type { Row } from "@overcoat/sources";
import type { Form } from "../statement/form.ts";
import { type Lexed, originalName } from "../statement/lexical.ts";
import { sizeOf } from "./ahead.ts";
import type { Field, Scratch, TextRow } from "./context.ts";
import { rowSize } from "./row-size.ts";
import { inScratch, type ScratchClient } from "./scratch-session.ts";
import { createTable, RowsToScratch, type ScratchTable } from "./scratch-table.ts";
import { scratchTable, scratchText } from "./scratch-text.ts";
import type { Batches } from "./table.ts";

/** A statement and the tables that it needs, for the scratch database to evaluate. */
export interface ScratchStatement {
  readonly form: Form;
  readonly lexed: Lexed;
  readonly parameters: readonly (string | null)[];
  readonly tables: readonly ScratchTable[];
  /** Stands after the statement. */
  readonly suffix?: string;
}

/** Begins a transaction with the statement's tables, still empty. */
async function beginWithTables(client: ScratchClient, { tables, lexed }: ScratchStatement): Promise<void> {
  const version = await client.serverVersion();
  await client.execute(["BEGIN", ...tables.map((table) => createTable(table, lexed.names, version))]);
}

/** The columns that a SELECT yields, found out over empty tables. */
export async function describe(
  statement: ScratchStatement,
  scratch: Scratch,
  signal: AbortSignal,
): Promise<readonly Field[]> {
  const results = inScratch(scratch, signal, async function* (client) {
    await beginWithTables(client, statement);
    const { fields } = await client.query(...query(statement));
    yield fields.map(({ name, dataTypeID, dataTypeModifier }) => ({
      name: name === "overcoat ctid" ? "ctid" : originalName(name, statement.lexed.names),
      typeOid: dataTypeID,
      typeModifier: dataTypeModifier,
    }));
  });
  for await (const fields of results) return fields;
  return [];
}

function query({ form, lexed, parameters, suffix = "" }: ScratchStatement) {
  return [scratchText(form, lexed) + suffix, parameters.slice(0, form.parameters)] as const;
}

/** Copies all rows in, then runs a SELECT and yields what it gives. */
export async function* evaluateWhole(
  client: ScratchClient,
  statement: ScratchStatement,
  sources: readonly Batches[],
): AsyncGenerator<readonly TextRow[]> {
  await copyAllIn(client, statement, sources);
  const [text, values] = query(statement);
  await client.query(`DECLARE overcoat NO SCROLL CURSOR FOR ${text}`, values);
  yield* fetchAll(client);
}

/** As evaluateWhole for a statement that no cursor can run. */
export async function* runWhole(
  client: ScratchClient,
  statement: ScratchStatement,
  sources: readonly Batches[],
): AsyncGenerator<readonly TextRow[]> {
  await copyAllIn(client, statement, sources);
  yield (await client.query(...query(statement))).rows;
}

async function copyAllIn(
  client: ScratchClient,
  statement: ScratchStatement,
  sources: readonly Batches[],
): Promise<void> {
  await beginWithTables(client, statement);
  for (const [number, table] of statement.tables.entries()) await copyIn(client, table, sources[number]!);
  if (statement.tables.length > 1)
    await client.query(`ANALYZE ${statement.tables.map(({ number }) => scratchTable(number))}`);
}

const firstFetch = 100;
const fetchBytes = 4 * 1024 * 1024;

/** More rows at once the smaller they are. */
async function* fetchAll(client: ScratchClient): AsyncGenerator<readonly TextRow[]> {
  for (let count = firstFetch; ; ) {
    const { rows } = await client.query(`FETCH ${count} FROM overcoat`);
    if (rows.length > 0) yield rows;
    if (rows.length < count) return;
    const mostRows = Math.floor((fetchBytes * rows.length) / (sizeOf(rows) + 1));
    count = Math.max(1, Math.min(count * 4, 10_000, mostRows));
  }
}

async function copyIn(client: ScratchClient, table: ScratchTable, batches: Batches): Promise<void> {
  const copy = new RowsToScratch(client, table);
  let ended = false;
  try {
    for await (const rows of batches) await copy.send(rows);
    await copy.end();
    ended = true;
  } finally {
    if (!ended) await copy.abort();
  }
}

const firstChunk = 100;
const largestChunk = 10_000;
const chunkBytes = 8 * 1024 * 1024;

/**
 * For a statement whose rows each come from one row of its one table: evaluates some rows at a time, so that the
 * first come early, no more are read than are wanted, and no session is held while the reader takes its time.
 */
export async function* runInChunks(
  scratch: Scratch,
  signal: AbortSignal,
  statement: ScratchStatement,
  source: Batches,
): AsyncGenerator<readonly TextRow[]> {
  let wanted = firstChunk;
  for await (const chunk of chunks(source, () => wanted)) {
    const results: (readonly TextRow[])[] = [];
    for await (const rows of inScratch(scratch, signal, (client) =>
      runWhole(client, statement, [only(chunk)]),
    ))
      if (rows.length > 0) results.push(rows);
    yield* results;
    const size = chunk.reduce((bytes, row) => bytes + rowSize(row), 0);
    wanted = Math.max(1, Math.min(wanted * 4, largestChunk, Math.floor((chunkBytes * chunk.length) / size)));
  }
}

async function* only(rows: readonly Row[]): Batches {
  yield rows;
}

async function* chunks(source: Batches, wanted: () => number): Batches {
  let rest: Row[] = [];
  for await (const batch of source) {
    rest = rest.length === 0 ? [...batch] : rest.concat(batch);
    while (rest.length >= wanted()) yield rest.splice(0, wanted());
  }
  if (rest.length > 0) yield rest;
}
