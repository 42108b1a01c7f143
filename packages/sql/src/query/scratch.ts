import type { Row } from "@overcoat/sources";
import type { ClientBase } from "pg";
import type { Form } from "../statement/form.ts";
import type { Lexed } from "../statement/lexical.ts";
import type { Field, Scratch, ScratchSession, TextRow } from "./context.ts";
import { asSqlError, sessionSettings } from "./scratch-session.ts";
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

/**
 * Runs work in a session of the scratch database; the signal cancels what it runs.
 * @throws SqlError what the scratch database says
 */
export async function* inScratch<Item>(
  scratch: Scratch,
  signal: AbortSignal,
  work: (client: ClientBase) => AsyncIterable<Item>,
): AsyncGenerator<Item> {
  signal.throwIfAborted();
  let session: ScratchSession;
  try {
    session = await scratch.session();
  } catch (error) {
    throw asSqlError(error);
  }
  await using _ = session;
  const cancel = () => void session.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  try {
    yield* work(session.client);
  } catch (error) {
    signal.throwIfAborted();
    throw asSqlError(error);
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** Begins a transaction with the statement's tables, still empty. */
async function beginWithTables(client: ClientBase, { tables, lexed }: ScratchStatement): Promise<void> {
  const version = await serverVersion(client);
  const creations = tables.map((table) => createTable(table, lexed.names, version));
  await client.query([sessionSettings, "BEGIN", ...creations].join(";\n"));
}

const versions = new WeakMap<ClientBase, number>();

async function serverVersion(client: ClientBase): Promise<number> {
  const known = versions.get(client);
  if (known !== undefined) return known;
  const { rows } = await client.query<[string]>({ text: "SHOW server_version_num", rowMode: "array" });
  const version = Number(rows[0]![0]);
  versions.set(client, version);
  return version;
}

/** The columns that a SELECT yields, found out over empty tables. */
export async function describe(
  statement: ScratchStatement,
  scratch: Scratch,
  signal: AbortSignal,
): Promise<readonly Field[]> {
  const results = inScratch(scratch, signal, async function* (client) {
    await beginWithTables(client, statement);
    const { fields } = await client.query({ ...query(statement), rowMode: "array" });
    yield fields.map(({ name, dataTypeID, dataTypeModifier }) => ({
      name: name === "overcoat ctid" ? "ctid" : name,
      typeOid: dataTypeID,
      typeModifier: dataTypeModifier,
    }));
  });
  for await (const fields of results) return fields;
  return [];
}

function query({ form, lexed, parameters, suffix = "" }: ScratchStatement) {
  return { text: scratchText(form, lexed) + suffix, values: parameters.slice(0, form.parameters) };
}

/** Copies all rows in, then runs a SELECT and yields what it gives. */
export async function* evaluateWhole(
  client: ClientBase,
  statement: ScratchStatement,
  sources: readonly Batches[],
): AsyncGenerator<readonly TextRow[]> {
  await copyAllIn(client, statement, sources);
  const { text, values } = query(statement);
  await client.query({ text: `DECLARE overcoat NO SCROLL CURSOR FOR ${text}`, values });
  yield* fetchAll(client);
}

/** As evaluateWhole for a statement that no cursor can run. */
export async function* runWhole(
  client: ClientBase,
  statement: ScratchStatement,
  sources: readonly Batches[],
): AsyncGenerator<readonly TextRow[]> {
  await copyAllIn(client, statement, sources);
  yield (await client.query<(string | null)[]>({ ...query(statement), rowMode: "array" })).rows;
}

async function copyAllIn(
  client: ClientBase,
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
async function* fetchAll(client: ClientBase): AsyncGenerator<readonly TextRow[]> {
  for (let count = firstFetch; ; ) {
    const { rows } = await client.query<(string | null)[]>({
      text: `FETCH ${count} FROM overcoat`,
      rowMode: "array",
    });
    if (rows.length > 0) yield rows;
    if (rows.length < count) return;
    let bytes = 0;
    for (const row of rows) for (const value of row) bytes += 20 + (value?.length ?? 0);
    count = Math.max(1, Math.min(count * 4, 10_000, Math.floor((fetchBytes * rows.length) / bytes)));
  }
}

async function copyIn(client: ClientBase, table: ScratchTable, batches: Batches): Promise<void> {
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
const chunkBytes = 4 * 1024 * 1024;

/**
 * For a statement whose rows each come from one row of its one table: evaluates some rows at a time, so that the
 * first come early and no more are read than are wanted.
 */
export async function* runInChunks(
  client: ClientBase,
  statement: ScratchStatement,
  source: Batches,
): AsyncGenerator<readonly TextRow[]> {
  await beginWithTables(client, statement);
  const table = statement.tables[0]!;
  const text = query(statement);
  let wanted = firstChunk;
  for await (const chunk of chunks(source, () => wanted)) {
    const copy = new RowsToScratch(client, table);
    try {
      await copy.send(chunk);
      await copy.end();
    } catch (error) {
      await copy.abort();
      throw error;
    }
    const { rows } = await client.query<(string | null)[]>({ ...text, rowMode: "array" });
    await client.query(`TRUNCATE ${scratchTable(table.number)}`);
    if (rows.length > 0) yield rows;
    wanted = Math.max(
      1,
      Math.min(wanted * 4, largestChunk, Math.floor((chunkBytes * chunk.length) / copy.size)),
    );
  }
}

async function* chunks(source: Batches, wanted: () => number): Batches {
  let rest: Row[] = [];
  for await (const batch of source) {
    rest = rest.length === 0 ? [...batch] : rest.concat(batch);
    while (rest.length >= wanted()) yield rest.splice(0, wanted());
  }
  if (rest.length > 0) yield rest;
}
