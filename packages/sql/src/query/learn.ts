import { SqlError } from "@overcoat/sources";
import type { Spellings, UnknownSpelling } from "../evaluate/key.ts";
import { type ColumnType, typeInSql } from "../evaluate/type.ts";
import type { Scratch } from "./context.ts";
import { inScratch } from "./scratch-session.ts";

/**
 * Asks PostgreSQL what texts mean that are not understood here.
 * @throws SqlError 22P02, 22003 and the like for those that are no values of their type
 */
export async function learn(
  unknown: readonly UnknownSpelling[],
  spellings: Spellings,
  scratch: Scratch,
  signal: AbortSignal,
): Promise<void> {
  const byType = Map.groupBy(unknown, ({ type }) => type);
  for (const [type, texts] of byType) {
    const distinct = [...new Set(texts.map(({ text }) => text))];
    if (type.name === "varchar")
      for (const text of distinct) spellings.set(type, text, cutSpaces(type, text));
    else await ask(type, distinct, spellings, scratch, signal);
  }
}

/** What is too long is refused, where a cast would cut it; spaces at the end are cut. */
function cutSpaces({ modifiers: [most] }: ColumnType, text: string): string {
  const characters = [...text];
  if (characters.slice(most).some((character) => character !== " "))
    throw new SqlError("22001", `value too long for type character varying(${most})`);
  return characters.slice(0, most).join("");
}

async function ask(
  type: ColumnType,
  texts: readonly string[],
  spellings: Spellings,
  scratch: Scratch,
  signal: AbortSignal,
): Promise<void> {
  const results = inScratch(scratch, signal, async function* (client) {
    yield await client.query(`SELECT t::${typeInSql(type)}::text FROM unnest($1::text[]) t`, [texts]);
  });
  for await (const { rows } of results)
    for (const [index, [printed]] of rows.entries()) spellings.set(type, texts[index]!, printed!);
}
