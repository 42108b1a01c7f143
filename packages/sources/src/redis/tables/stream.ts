import { SqlError } from "../../error.ts";
import type { Change, Filter, Query, Table, TableChanges, Tuple, Value } from "../../source.ts";
import type { Bytes, Command, Run } from "../client/node.ts";
import type { Prepared, Writer } from "../commit.ts";
import { unlessWrongType } from "../errors.ts";
import { keyIdentity } from "../keys.ts";
import type { Layout } from "../layout.ts";
import type { Service } from "../plan.ts";
import { decoder, decodeText, encode, plainType } from "../text.ts";
import { insertedTime } from "../times.ts";
import { requireType } from "./element-keys.ts";
import { type Elements, elementIdentity, planElements, splitIdentity } from "./elements.ts";
import { readFields } from "./hash.ts";
import { missingValue, rowKey } from "./row-changes.ts";

interface Entry {
  readonly id: string;
  /** Names and values in turn. */
  readonly fields: readonly Bytes[];
}

/** Positions of the columns; -1 where there is none. */
interface StreamColumns {
  readonly id: number;
  /** All fields as JSON. */
  readonly fields: number;
}

/** Streams whose entries are rows: added and deleted, never changed. */
export function streamTable(service: Service, layout: Layout): Table {
  const columns = readColumns(layout);
  return {
    definition: layout.definition,
    plan: (query) => planElements(service, layout, query, streamElements(layout, columns, query)),
    ...streamChanges(service, layout, columns),
  };
}

function readColumns({ definition, roles }: Layout): StreamColumns {
  let fields = roles.indexOf("fields");
  const free = [...roles.keys()].filter((column) => roles[column] === undefined);
  const [only] = free;
  if (fields === -1 && free.length === 1) {
    const { type, options } = definition.columns[only!]!;
    if (["json", "jsonb"].includes(type) && options.field === undefined) fields = only!;
  }
  return { id: roles.indexOf("id"), fields };
}

function streamElements({ definition }: Layout, columns: StreamColumns, { filters }: Query): Elements<Entry> {
  const place = filters.findIndex((filter) => isPlace(filter, columns.id));
  const only = place === -1 ? undefined : idOf(filters[place]!);

  function cell(column: number): (entry: Entry, key: Bytes) => Value {
    const { name, type, options } = definition.columns[column]!;
    if (column === columns.id) return ({ id }) => id;
    if (column === columns.fields) {
      const asText = !["json", "jsonb"].includes(plainType(type));
      return ({ fields }, key) => {
        const object: Record<string, string> = Object.create(null);
        for (let index = 0; index < fields.length; index += 2) {
          object[decodeText(fields[index]!, key)] = decodeText(fields[index + 1]!, key);
        }
        return asText ? JSON.stringify(object) : object;
      };
    }
    const field = options.field ?? name;
    const decode = decoder(type);
    return ({ fields }, key) => {
      for (let index = 0; index < fields.length; index += 2) {
        if (String(fields[index]) === field) return decode(fields[index + 1]!, key);
      }
      return null;
    };
  }

  return {
    binary: definition.columns.some(({ type }) => type === "bytea"),
    first(key, count) {
      if (place !== -1) return ["XRANGE", key, only ?? "0-0", only ?? "0-0"];
      return ["XRANGE", key, "-", "+", "COUNT", String(count)];
    },
    page(reply, [, key, , , , count]) {
      const entries = (reply as readonly (readonly [Bytes, readonly Bytes[]])[]).map(
        ([id, fields]): Entry => ({ id: String(id), fields }),
      );
      const full = entries.length === Number(count);
      return {
        elements: entries,
        next: full ? ["XRANGE", key!, `(${entries.at(-1)!.id}`, "+", "COUNT", "1000"] : undefined,
      };
    },
    cell,
    identity: ({ id }) => id,
    // An entry never changes.
    version: () => "",
    words: (key) => (place === -1 ? `XRANGE ${key} - +` : `XRANGE ${key} ${only ?? "$1"} ${only ?? "$1"}`),
    handled: place === -1 ? [] : [place],
    sorted: false,
    count: (key) => ["XLEN", key],
  };
}

const isPlace = (filter: Filter, id: number) =>
  filter.column === id && filter.kind === "compare" && filter.operator === "=";

/** An id that cannot be stands for none. */
function idOf(filter: Filter): string | undefined {
  const text = "value" in filter ? filter.value : undefined;
  return text !== undefined && isId(text) ? text : undefined;
}

const isId = (text: string) => /^(?:0|[1-9]\d{0,19})-(?:0|[1-9]\d{0,19})$/.test(text);

function streamChanges(
  { redis }: Service,
  layout: Layout,
  columns: StreamColumns,
): { changes?: TableChanges; writer?: Writer } {
  const { definition, keyspace, roles } = layout;
  if (keyspace.pattern !== undefined) return {};

  function keys(change: Change): Bytes[] {
    return [
      change.kind === "insert" ? rowKey(layout, change.after) : splitIdentity(layout, change.identity).key,
    ];
  }

  function fieldsOf(row: Tuple): Bytes[] {
    const fields: Bytes[] = [];
    for (const [column, { name, type, options }] of definition.columns.entries()) {
      const text = row[column];
      if (text === undefined || text === null) continue;
      if (column === columns.fields) fields.push(...[...readFields(text, name)].flat());
      else if (roles[column] === undefined) fields.push(options.field ?? name, encode(type, text));
    }
    return fields;
  }

  async function prepare(changes: readonly Change[], run: Run): Promise<Prepared> {
    await requireType(changes, "stream", keys, run);
    await requireOrder(changes, run);
    const commands = changes.map((change): Command[] => {
      if (change.kind === "insert") {
        const key = rowKey(layout, change.after);
        const add: Command = ["XADD", key, change.after[columns.id] ?? "*", ...fieldsOf(change.after)];
        return [add, ...insertedTime(layout, key, change.after)];
      }
      const { key, element } = splitIdentity(layout, change.identity);
      return [["XDEL", key, element]];
    });
    return { commands };
  }

  /** @throws SqlError 22023 for an id that is not greater than those before it, which Redis refuses */
  async function requireOrder(changes: readonly Change[], run: Run): Promise<void> {
    const last = new Map<string, string>();
    for (const change of changes) {
      const id = change.kind === "insert" ? change.after[columns.id] : undefined;
      if (change.kind !== "insert" || id === undefined || id === null) continue;
      const key = rowKey(layout, change.after);
      const before = last.get(keyIdentity(key)) ?? (await lastId(key, run));
      if (!isGreater(id, before)) {
        throw new SqlError(
          "22023",
          `The id ${id} is not greater than ${before}, the last one of the Redis stream`,
          {
            hint: "Leave the id out, so that Redis makes one.",
          },
        );
      }
      last.set(keyIdentity(key), id);
    }
  }

  return {
    changes: {
      insert: true,
      update: false,
      delete: true,
      identity(row) {
        if (fieldsOf(row).length === 0) {
          throw missingValue(definition, columns.fields === -1 ? roles.indexOf(undefined) : columns.fields);
        }
        const key = rowKey(layout, row);
        const id = row[columns.id] ?? null;
        if (id === null) return undefined;
        if (isId(id)) return elementIdentity(layout, key, id);
        throw new SqlError("22023", `"${id}" cannot be the id of a stream's entry`, {
          hint: "Leave it out, so that Redis makes one, or use milliseconds-number such as 1700000000000-0.",
        });
      },
      async exist(identities, signal) {
        const replies = await redis.run(
          identities.map((identity) => {
            const { key, element } = splitIdentity(layout, identity);
            return ["XRANGE", key, element, element];
          }),
          { signal },
        );
        return replies.map(
          (reply) => (unlessWrongType("XRANGE", reply) as readonly unknown[] | null)?.length === 1,
        );
      },
    },
    writer: { keys, prepare },
  };
}

async function lastId(key: Bytes, run: Run): Promise<string> {
  const [reply] = await run([["XINFO", "STREAM", key]]);
  if (reply instanceof Error) return "0-0";
  const flat = reply as readonly unknown[];
  return String(flat[flat.indexOf("last-generated-id") + 1]);
}

function isGreater(one: string, other: string): boolean {
  const [[time, number], [otherTime, otherNumber]] = [one, other].map((id) => id.split("-").map(BigInt)) as [
    [bigint, bigint],
    [bigint, bigint],
  ];
  return time > otherTime || (time === otherTime && number > otherNumber);
}
