import { isDeepStrictEqual } from "node:util";
import { SqlError } from "../error.ts";
import type { Change, Tuple } from "../source.ts";
import type { Api, Item } from "./api.ts";
import { Auth0Table, type Place } from "./table.ts";
import { attributeValue } from "./values.ts";

/**
 * Carries changes out one after the other: Auth0 has no transactions.
 * @throws SqlError 40001 where an object was changed since it was read; the detail says what was applied
 */
export async function commit(api: Api, changes: readonly Change[], signal: AbortSignal): Promise<void> {
  // What this transaction wrote itself is no one else's change.
  const written = new Set<string>();
  for (const [index, change] of changes.entries()) {
    try {
      await apply(api, change, written, signal);
    } catch (error) {
      if (!(error instanceof SqlError) || changes.length === 1) throw error;
      const applied = `${index} of the transaction's ${changes.length} changes ${index === 1 ? "was" : "were"} applied, in their order.`;
      throw new SqlError(error.sqlState, error.message, {
        detail: error.detail ? `${error.detail}\n${applied}` : applied,
        hint: error.hint,
        cause: error,
      });
    }
  }
}

async function apply(api: Api, change: Change, written: Set<string>, signal: AbortSignal): Promise<void> {
  const table = change.table;
  if (!(table instanceof Auth0Table)) throw new TypeError("a table of another connection");
  const { kind } = table;
  if (change.kind === "insert") {
    await kind.insert!(api, inserted(table, change.after), signal).catch((error: unknown) => {
      if (!(error instanceof SqlError) || error.sqlState !== "02000") throw error;
      throw new SqlError("23503", `a row of ${kind.name} names something that Auth0 does not have`, {
        detail: error.detail,
        cause: error,
      });
    });
    return;
  }
  const mark = `${kind.name} ${change.identity}`;
  const key = table.keyOf(change.identity);
  try {
    const current =
      kind.version && change.version !== undefined && !written.has(mark)
        ? await unchanged(table, api, change.identity, change.version, signal)
        : undefined;
    if (change.kind === "delete") await kind.delete!(api, key, signal);
    else {
      const before = current ?? (await kind.find!(api, key, signal)) ?? {};
      const values = updated(table, change.before, change.after, before);
      if (Object.keys(values).length > 0) await kind.update!(api, key, values, before, signal);
    }
  } catch (error) {
    if (error instanceof SqlError && error.sqlState === "02000")
      throw changedMeanwhile(table, change.identity);
    throw error;
  }
  written.add(mark);
}

async function unchanged(
  table: Auth0Table,
  api: Api,
  identity: string,
  version: string,
  signal: AbortSignal,
): Promise<Item> {
  const { kind } = table;
  const current = await kind.find!(api, table.keyOf(identity), signal);
  if (!current || String(current[kind.version!] ?? "") !== version) throw changedMeanwhile(table, identity);
  return current;
}

const changedMeanwhile = ({ kind }: Auth0Table, identity: string) =>
  new SqlError("40001", "could not serialize access due to concurrent update", {
    detail: `${identity} of ${kind.name} was changed or deleted in Auth0 since it was read.`,
    hint: "Repeat the transaction. Auth0's search tells of changes some seconds late; a look-up by key does at once.",
  });

/** The attributes of a row to be inserted. Of a whole object those that can be written. */
function inserted(table: Auth0Table, after: Tuple): Item {
  const { kind, places, definition } = table;
  const values: Record<string, unknown> = {};
  if (kind.name === "users" && definition.options.connection)
    values.connection = definition.options.connection;
  for (const [{ path, column }, text] of given(places, after)) {
    if (text === null) continue;
    const value = attributeValue(text, column);
    if (path.length > 0) set(values, path, value, table);
    else
      for (const [name, part] of Object.entries(value as Item))
        if (kind.writable?.has(name) && !(name in values)) values[name] = part;
  }
  return values;
}

/** The attributes that an update changes, with their new values. */
function updated(table: Auth0Table, before: Tuple, after: Tuple, current: Item): Item {
  const values: Record<string, unknown> = {};
  for (const [{ path, column }, text, position] of given(table.places, after)) {
    if (text === before[position]) continue;
    const value = attributeValue(text, column);
    if (path.length === 0) {
      const old = before[position] ? (attributeValue(before[position], column) as Item) : current;
      const whole = (value ?? {}) as Item;
      for (const name of new Set([...Object.keys(old), ...Object.keys(whole)]))
        if (!isDeepStrictEqual(old[name], whole[name])) set(values, [name], whole[name] ?? null, table);
      continue;
    }
    // A part of an attribute replaces the attribute as it would be with it.
    const [root = ""] = path;
    if (path.length > 1 && !(root in values)) values[root] = current[root];
    set(values, path, value, table);
  }
  return values;
}

/** Whole objects come first, so that columns of their own have the last word. */
function given(places: readonly Place[], tuple: Tuple): [Place, string | null, number][] {
  return places
    .map((place, position): [Place, string | null | undefined, number] => [place, tuple[position], position])
    .filter((each): each is [Place, string | null, number] => each[1] !== undefined)
    .sort(([one], [other]) => Number(one.path.length > 0) - Number(other.path.length > 0));
}

function set(
  values: Record<string, unknown>,
  path: readonly string[],
  value: unknown,
  { kind }: Auth0Table,
): void {
  const [root = "", ...parts] = path;
  if (!kind.writable?.has(root))
    throw new SqlError("0A000", `Auth0 does not let ${root} of ${kind.name} be written`, {
      hint: `Attributes that can be are ${[...(kind.writable ?? [])].join(", ")}.`,
    });
  values[root] = withPart(values[root], parts, value);
}

/** An attribute with one part replaced, or removed where the value is null. */
function withPart(whole: unknown, [name, ...parts]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value;
  const object = { ...(typeof whole === "object" ? (whole as Item | null) : {}) } as Record<string, unknown>;
  const part = withPart(object[name], parts, value);
  if (part === null) delete object[name];
  else object[name] = part;
  return object;
}
