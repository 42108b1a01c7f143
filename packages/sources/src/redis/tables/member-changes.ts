import { SqlError } from "../../error.ts";
import type { Change, TableChanges, Tuple } from "../../source.ts";
import type { Bytes, Command, Reply, Run } from "../client/node.ts";
import { changedMeanwhile, type Prepared, type Writer } from "../commit.ts";
import { unlessWrongType } from "../errors.ts";
import { identityKey, keyIdentity } from "../keys.ts";
import type { Layout } from "../layout.ts";
import type { Service } from "../plan.ts";
import { encode, quoted } from "../text.ts";
import { changedTime, insertedTime } from "../times.ts";
import { requireType } from "./element-keys.ts";
import { elementIdentity, splitIdentity } from "./elements.ts";
import { type MemberColumns, type MemberCommands, payloadVersion } from "./members.ts";
import { missingValue, rowKey } from "./row-changes.ts";

const batch = 1000;

interface Place {
  readonly key: Bytes;
  readonly name: Bytes;
}

/** Changes of a table in which a member of a set, sorted set or hash is a row. */
export function memberChanges(
  { redis }: Service,
  layout: Layout,
  commands: MemberCommands,
  columns: MemberColumns,
): { changes?: TableChanges; writer?: Writer } {
  const { definition, keyspace, type, replaces } = layout;
  if (keyspace.pattern !== undefined) return {};

  function value(row: Tuple, column: number): Bytes {
    const text = row[column];
    if (text === undefined || text === null)
      throw missingValue(definition, column === -1 ? undefined : column);
    return encode(definition.columns[column]!.type, text);
  }

  const placeOf = (row: Tuple): Place => ({ key: rowKey(layout, row), name: value(row, columns.name) });

  function identityOf({ key, name }: Place): string {
    return elementIdentity(layout, key, keyIdentity(name));
  }

  function placed(identity: string): Place {
    const { key, element } = splitIdentity(layout, identity);
    return { key, name: identityKey(element) };
  }

  /** Where an update moves the row. */
  function target(change: Change & { kind: "update" }): Place {
    const old = placed(change.identity);
    const { after } = change;
    const position = layout.key?.position;
    return {
      key: position === undefined || after[position] === undefined ? old.key : rowKey(layout, after),
      name: after[columns.name] === undefined ? old.name : value(after, columns.name),
    };
  }

  function places(change: Change): Place[] {
    if (change.kind === "insert") return [placeOf(change.after)];
    return change.kind === "delete" ? [placed(change.identity)] : [placed(change.identity), target(change)];
  }

  /** The payloads, "" for a member of a set, null for what is no member. */
  async function read(wanted: readonly Place[], run: Run): Promise<(Bytes | null)[]> {
    const found: (Bytes | null)[] = [];
    for (let start = 0; start < wanted.length; start += batch) {
      const asked = wanted
        .slice(start, start + batch)
        .map(({ key, name }): Command => [commands.read, key, name]);
      const replies = await run(asked, { binary: true });
      found.push(...replies.map((reply) => payloadOf(unlessWrongType(commands.read, reply))));
    }
    return found;
  }

  function payloadOf(reply: Reply): Bytes | null {
    if (commands.hasPayload) return reply as Bytes | null;
    return reply === 1 ? "" : null;
  }

  async function prepare(changes: readonly Change[], run: Run): Promise<Prepared> {
    await requireType(changes, type, (change) => places(change).map(({ key }) => key), run);
    const all = changes.flatMap(places);
    const found = await read(all, run);
    /** What is there, as far as this transaction has come; its own payloads are not looked at again. */
    const state = new Map<string, { payload: Bytes | null; own: boolean }>(
      all.map((place, index) => [identityOf(place), { payload: found[index]!, own: false }]),
    );
    const written = (place: Place, exists: boolean) =>
      state.set(identityOf(place), { payload: exists ? "" : null, own: true });

    const made = changes.map((change): Command[] => {
      if (change.kind === "insert") {
        const place = placeOf(change.after);
        if (state.get(identityOf(place))!.payload !== null && !change.replace) throw changed(place);
        written(place, true);
        const times = insertedTime(layout, place.key, change.after);
        return [commands.add(place.key, place.name, payload(change.after)), ...times];
      }
      const place = placed(change.identity);
      const { payload: current, own } = state.get(change.identity)!;
      if (change.kind === "delete" && current === null) return [];
      const known = commands.hasPayload ? (current ?? undefined) : undefined;
      const isSame = own || change.version === undefined || change.version === payloadVersion(type, known);
      if (current === null || !isSame) throw changed(place);
      written(place, false);
      const remove: Command = [commands.remove, place.key, place.name];
      if (change.kind === "delete") return [remove];
      const to = target(change);
      const moved = identityOf(to) !== change.identity;
      if (moved && state.get(identityOf(to))!.payload !== null) throw duplicate(to);
      written(to, true);
      const after =
        commands.hasPayload && change.after[columns.payload] === undefined ? current : payload(change.after);
      const add = commands.add(to.key, to.name, after);
      const times = changedTime(layout, to.key, change.before, change.after);
      return moved ? [remove, add, ...times] : [add, ...times];
    });
    return { commands: made };
  }

  function payload(row: Tuple): Bytes | undefined {
    if (!commands.hasPayload) return undefined;
    const bytes = value(row, columns.payload);
    if (type === "zset" && Number.isNaN(Number(bytes))) {
      throw new SqlError("22023", `${quoted(bytes)} cannot be the score of a member in Redis`);
    }
    return bytes;
  }

  function changed({ key, name }: Place): SqlError {
    return changedMeanwhile(`${quoted(name)} of the key ${quoted(key)}`);
  }

  function duplicate({ key, name }: Place): SqlError {
    return new SqlError("23505", `duplicate key value in foreign table "${definition.name}"`, {
      detail: `The Redis key ${quoted(key)} already has ${quoted(name)}.`,
    });
  }

  return {
    changes: {
      insert: true,
      update: true,
      delete: true,
      replaces,
      identity(row) {
        payload(row);
        return identityOf(placeOf(row));
      },
      async exist(identities, signal) {
        const found = await read(identities.map(placed), (asked, options) =>
          redis.run(asked, { signal, ...options }),
        );
        return found.map((each) => each !== null);
      },
    },
    writer: { keys: (change) => places(change).map(({ key }) => key), prepare },
  };
}
