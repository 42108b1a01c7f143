import { randomUUID } from "node:crypto";
import { SqlError } from "../../error.ts";
import type { Change, Filter, Query, Table, TableChanges } from "../../source.ts";
import type { Bytes, Command, Run } from "../client/node.ts";
import { changedMeanwhile, type Prepared, type Writer } from "../commit.ts";
import { unlessWrongType } from "../errors.ts";
import { keyIdentity } from "../keys.ts";
import type { Layout } from "../layout.ts";
import type { Service } from "../plan.ts";
import { decoder, encode, quoted } from "../text.ts";
import { changedTime, insertedTime } from "../times.ts";
import { version } from "../version.ts";
import { requireType } from "./element-keys.ts";
import { type Elements, planElements, splitIdentity } from "./elements.ts";
import { missingValue, rowKey } from "./row-changes.ts";

interface Item {
  readonly index: number;
  readonly value: Bytes;
}

/** Positions of the columns; -1 where there is none. */
interface ListColumns {
  readonly index: number;
  readonly value: number;
}

/** Lists whose elements are rows, counted from 0. */
export function listTable(service: Service, layout: Layout): Table {
  const columns = readColumns(layout);
  return {
    definition: layout.definition,
    plan: (query) => planElements(service, layout, query, listElements(layout, columns, query)),
    ...listChanges(service, layout, columns),
  };
}

function readColumns({ definition, roles }: Layout): ListColumns {
  const free = [...roles.keys()].filter((column) => roles[column] === undefined);
  let value = roles.indexOf("value");
  if (value === -1) value = free.shift() ?? -1;
  if (value === -1 || free.length > 0) {
    throw new SqlError("HV00D", `The columns of "${definition.name}" do not fit a Redis list`, {
      hint: "Besides the key it has a column for the element, and index, ttl and expires_at. Set the column option role to tell them apart.",
    });
  }
  return { index: roles.indexOf("index"), value };
}

function listElements(
  { definition }: Layout,
  columns: ListColumns,
  { filters, sort }: Query,
): Elements<Item> {
  const { type } = definition.columns[columns.value]!;
  const decode = decoder(type);
  const counted = isCounted(definition.columns[columns.index]?.type);
  const place = counted ? filters.findIndex((filter) => isPlace(filter, columns.index)) : -1;
  const [by, ...more] = sort;
  const range = (key: Bytes, start: number, count: number): Command => [
    "LRANGE",
    key,
    String(start),
    String(start + count - 1),
  ];
  const placeOf = (filter: Filter) =>
    "value" in filter && filter.value !== undefined ? Number(filter.value) : 0;
  return {
    binary: type === "bytea",
    first(key, count) {
      return place === -1 ? range(key, 0, count) : range(key, placeOf(filters[place]!), 1);
    },
    page(reply, [, key, start, end]) {
      const values = reply as readonly Bytes[];
      const from = Number(start);
      const full = values.length === Number(end) - from + 1;
      return {
        elements: from < 0 ? [] : values.map((value, index) => ({ index: from + index, value })),
        next: full && place === -1 ? range(key!, Number(end) + 1, 1000) : undefined,
      };
    },
    cell: (column) =>
      column === columns.index ? ({ index }) => index : ({ value }, key) => decode(value, key),
    identity: ({ index }) => String(index),
    version: ({ value }) => version([value]),
    words: (key) => (place === -1 ? `LRANGE ${key} 0 -1` : range(key, placeOf(filters[place]!), 1).join(" ")),
    handled: place === -1 ? [] : [place],
    sorted: counted && by?.column === columns.index && !by.descending && more.length === 0,
    count: (key) => ["LLEN", key],
  };
}

/** Types in which places compare and sort as numbers. */
const isCounted = (type: string | undefined) => ["smallint", "integer", "bigint"].includes(type ?? "");

const isPlace = (filter: Filter, index: number) =>
  filter.column === index && filter.kind === "compare" && filter.operator === "=";

function listChanges(
  { redis }: Service,
  layout: Layout,
  columns: ListColumns,
): { changes?: TableChanges; writer?: Writer } {
  const { definition, keyspace } = layout;
  if (keyspace.pattern !== undefined) return {};

  function keys(change: Change): Bytes[] {
    return [
      change.kind === "insert" ? rowKey(layout, change.after) : splitIdentity(layout, change.identity).key,
    ];
  }

  function valueIn(change: Exclude<Change, { kind: "delete" }>): Bytes {
    const text = change.after[columns.value];
    if (text === undefined || text === null) throw missingValue(definition, columns.value);
    return encode(definition.columns[columns.value]!.type, text);
  }

  async function prepare(changes: readonly Change[], run: Run): Promise<Prepared> {
    const read = changes.filter((change) => change.kind !== "insert");
    await requireType(changes, "list", keys, run);
    const replies = await run(
      read.map(({ identity }) => {
        const { key, element } = splitIdentity(layout, identity);
        return ["LINDEX", key, element];
      }),
      { binary: true },
    );
    const current = new Map(read.map(({ identity }, index) => [identity, replies[index]!]));
    const written = new Set<string>();
    /** What stands for deleted elements until they are taken out, so that the others keep their places. */
    const grave = randomUUID();
    const graves = new Map<string, Bytes>();

    const commands = changes.map((change): Command[] => {
      if (change.kind === "insert") {
        const key = rowKey(layout, change.after);
        return [["RPUSH", key, valueIn(change)], ...insertedTime(layout, key, change.after)];
      }
      const { key, element } = splitIdentity(layout, change.identity);
      const value = unlessWrongType("LINDEX", current.get(change.identity)!) as Buffer | null;
      const isOther = !written.has(change.identity) && change.version !== undefined;
      if (value === null || (isOther && version([value]) !== change.version)) {
        throw changedMeanwhile(`element ${element} of the key ${quoted(key)}`);
      }
      written.add(change.identity);
      if (change.kind === "update") {
        refuseMove(change);
        const times = changedTime(layout, key, change.before, change.after);
        return change.after[columns.value] === undefined
          ? times
          : [["LSET", key, element, valueIn(change)], ...times];
      }
      graves.set(keyIdentity(key), key);
      return [["LSET", key, element, grave]];
    });
    return { commands, last: [...graves.values()].map((key): Command => ["LREM", key, "0", grave]) };
  }

  function refuseMove({ before, after }: Change & { kind: "update" }): void {
    for (const column of [columns.index, layout.key?.position ?? -1]) {
      if (after[column] === undefined || after[column] === before[column]) continue;
      throw new SqlError("0A000", `The column "${definition.columns[column]!.name}" cannot be updated`, {
        hint: "Elements of a Redis list cannot be moved: DELETE and INSERT, which adds to the end.",
      });
    }
  }

  return {
    changes: {
      insert: true,
      update: true,
      delete: true,
      identity(row) {
        if ((row[columns.value] ?? null) === null) throw missingValue(definition, columns.value);
        if ((row[columns.index] ?? null) !== null) {
          throw new SqlError("0A000", "An element cannot be inserted at a place of its own in a Redis list", {
            hint: `Leave out the column "${definition.columns[columns.index]!.name}": the element is added to the end.`,
          });
        }
        rowKey(layout, row);
        return undefined;
      },
      async exist(identities, signal) {
        const replies = await redis.run(
          identities.map((identity) => {
            const { key, element } = splitIdentity(layout, identity);
            return ["LINDEX", key, element];
          }),
          { signal },
        );
        return replies.map((reply) => unlessWrongType("LINDEX", reply) !== null);
      },
    },
    writer: { keys, prepare },
  };
}
