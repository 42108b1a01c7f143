import { SqlError } from "../../error.ts";
import type { Change, TableChanges, TableDefinition, Tuple } from "../../source.ts";
import type { Bytes, Command, Reply, Run } from "../client/node.ts";
import { changedMeanwhile, type Prepared, type Writer } from "../commit.ts";
import { accepted } from "../errors.ts";
import { identityKey, keyIdentity } from "../keys.ts";
import type { Layout } from "../layout.ts";
import type { Service } from "../plan.ts";
import { quoted, Undecodable } from "../text.ts";
import { changedTime, insertedTime } from "../times.ts";
import { type Content, type ContentOf, contentColumns } from "./row.ts";

/** How the content of a row is written. */
export interface ContentWriter {
  /** @throws SqlError 23502 when a new row has too little to be stored */
  check(row: Tuple): void;
  /**
   * `before` is undefined for a new key. Columns that are undefined or as before stay as they are.
   * @throws SqlError 23502 for what cannot be stored
   */
  write(key: Bytes, before: Tuple | undefined, after: Tuple): readonly Command[];
  /** Fields that an update takes from a hash without giving it others. */
  removes?(before: Tuple, after: Tuple): number;
}

const batch = 1000;

/** Changes of a table in which a key is a row. */
export function rowChanges(
  { redis }: Service,
  layout: Layout,
  contentOf: ContentOf,
  writer: ContentWriter,
): { changes?: TableChanges; writer?: Writer } {
  const { definition, keyspace, key: shown, replaces } = layout;
  // Which keys a pattern matches only Redis can tell.
  if (keyspace.pattern !== undefined) return {};
  const content = contentOf(contentColumns(layout));

  /** The other key that an update gives the row. */
  function renamed(change: Change): Bytes | undefined {
    if (change.kind !== "update" || !shown || change.after[shown.position] === undefined) return undefined;
    const key = rowKey(layout, change.after);
    return keyIdentity(key) === change.identity ? undefined : key;
  }

  function keys(change: Change): Bytes[] {
    if (change.kind === "insert") return [rowKey(layout, change.after)];
    const other = renamed(change);
    return other === undefined ? [identityKey(change.identity)] : [identityKey(change.identity), other];
  }

  /** The versions of what is there now, undefined for keys that are not. */
  async function versions(wanted: readonly Bytes[], run: Run): Promise<(string | undefined)[]> {
    const found: (string | undefined)[] = [];
    for (let start = 0; start < wanted.length; start += batch) {
      found.push(...(await versionsOf(content, wanted.slice(start, start + batch), run)));
    }
    return found;
  }

  async function exist(wanted: readonly Bytes[], run: Run): Promise<boolean[]> {
    const found: boolean[] = [];
    for (let start = 0; start < wanted.length; start += batch) {
      const replies = await run(wanted.slice(start, start + batch).map((key) => ["EXISTS", key]));
      found.push(...replies.map((reply) => accepted("EXISTS", reply) === 1));
    }
    return found;
  }

  /** @throws SqlError 23502 when an update would leave a hash without fields, which is to delete it */
  async function refuseEmptying(changes: readonly Change[], run: Run): Promise<void> {
    const emptied = changes.flatMap((change) => {
      const count = change.kind === "update" ? (writer.removes?.(change.before, change.after) ?? 0) : 0;
      return count > 0 ? [{ key: keys(change)[0]!, count }] : [];
    });
    const lengths = await run(emptied.map(({ key }) => ["HLEN", key]));
    for (const [index, { key, count }] of emptied.entries()) {
      if ((accepted("HLEN", lengths[index]!) as number) > count) continue;
      throw new SqlError("23502", `The Redis hash ${quoted(key)} would be left without fields`, {
        hint: "Redis keeps no empty hash: DELETE the row instead.",
      });
    }
  }

  async function prepare(changes: readonly Change[], run: Run): Promise<Prepared> {
    const read = changes.filter((change) => change.kind !== "insert");
    const found = await versions(
      read.map((change) => identityKey(change.identity)),
      run,
    );
    const targets = changes.flatMap((change) =>
      change.kind === "insert" ? keys(change) : (renamed(change) ?? []),
    );
    const taken = await exist(targets, run);
    await refuseEmptying(changes, run);
    const current = new Map(read.map((change, index) => [change.identity, found[index]]));
    const exists = new Map(targets.map((key, index) => [keyIdentity(key), taken[index]!]));
    /** Keys that this transaction has changed so far, and whether they exist. */
    const written = new Map<string, boolean>();

    function isFree(key: Bytes): boolean {
      const identity = keyIdentity(key);
      return !(written.get(identity) ?? exists.get(identity));
    }

    function isUnchanged({ identity, version }: Exclude<Change, { kind: "insert" }>): boolean {
      const known = written.get(identity);
      if (known !== undefined) return known;
      const now = current.get(identity);
      return now !== undefined && (version === undefined || version === now);
    }

    const commands = changes.map((change): Command[] => {
      if (change.kind === "insert") {
        const key = rowKey(layout, change.after);
        const free = isFree(key);
        if (!free && !change.replace) throw changedMeanwhile(`the key ${quoted(key)}`);
        written.set(keyIdentity(key), true);
        const replaced: Command[] = free ? [] : [["DEL", key]];
        return [
          ...replaced,
          ...writer.write(key, undefined, change.after),
          ...insertedTime(layout, key, change.after),
        ];
      }
      const { identity } = change;
      const old = identityKey(identity);
      // Who deletes a row that has just expired has what he wants.
      const isGone = !written.has(identity) && current.get(identity) === undefined;
      if (change.kind === "delete" && isGone) return [];
      if (!isUnchanged(change)) throw changedMeanwhile(`the key ${quoted(old)}`);
      if (change.kind === "delete") {
        written.set(identity, false);
        return [["DEL", old]];
      }
      const { before, after } = change;
      const target = renamed(change);
      if (target !== undefined && !isFree(target)) throw duplicateKey(definition, target);
      written.set(identity, target === undefined);
      if (target !== undefined) written.set(keyIdentity(target), true);
      const key = target ?? old;
      return [
        ...(target === undefined ? [] : ([["RENAME", old, target]] as const)),
        ...writer.write(key, before, after),
        ...changedTime(layout, key, before, after),
      ];
    });
    return { commands };
  }

  return {
    changes: {
      insert: true,
      update: true,
      delete: true,
      replaces,
      identity(row) {
        writer.check(row);
        return keyIdentity(rowKey(layout, row));
      },
      exist: (identities, signal) =>
        exist(identities.map(identityKey), (commands) => redis.run(commands, { signal })),
    },
    writer: { keys, prepare },
  };
}

/**
 * The Redis key of a row.
 * @throws SqlError 23502 when the row has none
 */
export function rowKey({ definition, keyspace, key: shown }: Layout, row: Tuple): Bytes {
  if (keyspace.only !== undefined) return keyspace.only;
  const text = shown && row[shown.position];
  if (text === undefined || text === null) throw missingValue(definition, shown?.position);
  return shown!.column.key(text);
}

async function versionsOf(
  content: Content,
  keys: readonly Bytes[],
  run: Run,
  binary = content.binary,
): Promise<(string | undefined)[]> {
  const replies = await content.fetch(keys, run, { binary });
  try {
    return replies.map((reply: Reply) => (reply === null ? undefined : content.version(reply)));
  } catch (error) {
    if (error instanceof Undecodable && !binary) return versionsOf(content, keys, run, true);
    throw error;
  }
}

/** As PostgreSQL words it for NOT NULL columns. */
export function missingValue({ name, columns }: TableDefinition, column: number | undefined): SqlError {
  const place = column === undefined ? "the key" : `column "${columns[column]!.name}"`;
  return new SqlError("23502", `null value in ${place} of foreign table "${name}"`, {
    detail: "Redis stores nothing for such a row.",
    hint: column === undefined ? "Declare a text column for the key." : undefined,
  });
}

function duplicateKey({ name }: TableDefinition, key: Bytes): SqlError {
  return new SqlError("23505", `duplicate key value in foreign table "${name}"`, {
    detail: `The Redis key ${quoted(key)} already exists.`,
  });
}
