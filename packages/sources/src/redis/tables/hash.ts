import { SqlError } from "../../error.ts";
import type { Column, Table, Tuple, Value } from "../../source.ts";
import type { Bytes, Command, Reply, Run, RunOptions } from "../client/node.ts";
import { unlessWrongType } from "../errors.ts";
import type { Layout } from "../layout.ts";
import { plan, type Service } from "../plan.ts";
import { decoder, decodeText, encode, plainType } from "../text.ts";
import { version } from "../version.ts";
import { type Content, contentColumns, onlyType, rowReader } from "./row.ts";
import { missingValue, rowChanges } from "./row-changes.ts";

/** Hashes: a key is a row, its fields are columns, or all of them one column of JSON. */
export function hashTable(service: Service, layout: Layout): Table {
  const { definition } = layout;
  const all = wholeColumn(layout);
  const contentOf = (columns: readonly number[]) =>
    columns.length === 0
      ? onlyType(layout)
      : all !== undefined && columns.includes(all)
        ? wholeContent(definition.columns, columns, all)
        : fieldsContent(columns.map((column) => definition.columns[column]!));
  const content = contentColumns(layout);

  function write(key: Bytes, before: Tuple | undefined, after: Tuple): Command[] {
    const { set, removed } = changedFields(before, after);
    const commands: Command[] = [];
    if (removed.length > 0) commands.push(["HDEL", key, ...removed]);
    if (set.length > 0) commands.push(["HSET", key, ...set.flat()]);
    return commands;
  }

  /** Fields that get a value, and those that go, when a row becomes another. */
  function changedFields(before: Tuple | undefined, after: Tuple) {
    const set = new Map<string, Bytes>();
    const removed = new Set<string>();
    for (const column of content) {
      const text = after[column];
      if (text === undefined || text === before?.[column]) continue;
      const { name, type, options } = definition.columns[column]!;
      if (column === all) {
        const old = before?.[column] ? readFields(before[column], name) : new Map<string, string>();
        const fields = text === null ? new Map<string, string>() : readFields(text, name);
        for (const [field, value] of fields) if (old.get(field) !== value) set.set(field, value);
        for (const field of old.keys()) if (!fields.has(field)) removed.add(field);
      } else {
        const field = options.field ?? name;
        if (text === null) removed.add(field);
        else set.set(field, encode(type, text));
      }
    }
    for (const field of set.keys()) removed.delete(field);
    return { set: [...set], removed: before === undefined ? [] : [...removed] };
  }

  return {
    definition,
    plan: (query) => plan(service, layout, query, rowReader(layout, service.redis.run, query, contentOf)),
    ...rowChanges(service, layout, contentOf, {
      check(row) {
        if (changedFields(undefined, row).set.length === 0) throw missingValue(definition, content[0]);
      },
      write,
      removes(before, after) {
        const { set, removed } = changedFields(before, after);
        return set.length > 0 ? 0 : removed.length;
      },
    }),
  };
}

/** The column that holds all fields: one of that role, or the only one if it is JSON. */
function wholeColumn(layout: Layout): number | undefined {
  const named = layout.roles.indexOf("fields");
  if (named !== -1) return named;
  const [only, ...rest] = contentColumns(layout);
  if (only === undefined || rest.length > 0) return undefined;
  const { type, options } = layout.definition.columns[only]!;
  return options.field === undefined && ["json", "jsonb"].includes(type) ? only : undefined;
}

function fieldsContent(columns: readonly Column[]): Content {
  const fields = columns.map(({ name, options }) => options.field ?? name);
  const decoders = columns.map(({ type }) => decoder(type));
  return {
    binary: columns.some(({ type }) => type === "bytea"),
    async fetch(keys, run, options) {
      const replies = await run(
        keys.map((key) => ["HMGET", key, ...fields]),
        options,
      );
      const found = replies.map((reply) => unlessWrongType("HMGET", reply));
      await clearGone(found, keys, run, options);
      return found;
    },
    cells: decoders.map((decode, index) => (content, key) => {
      const value = (content as readonly (Bytes | null)[])[index]!;
      return value === null ? null : decode(value, key);
    }),
    version: (content) => version(content as readonly (Bytes | null)[]),
    words: (key) => `HMGET ${key} ${fields.join(" ")}`,
  };
}

/** HMGET cannot tell a hash without these fields from none. */
async function clearGone(
  found: Reply[],
  keys: readonly Bytes[],
  run: Run,
  options: RunOptions,
): Promise<void> {
  const doubtful = [...found.keys()].filter((index) => {
    const fields = found[index] as readonly (Bytes | null)[] | null;
    return fields?.every((field) => field === null);
  });
  if (doubtful.length === 0) return;
  const lengths = await run(
    doubtful.map((index) => ["HLEN", keys[index]!]),
    options,
  );
  for (const [at, index] of doubtful.entries()) {
    if (!unlessWrongType("HLEN", lengths[at]!)) found[index] = null;
  }
}

/** All fields, `all` being the position of the column that shows them together. */
function wholeContent(definition: readonly Column[], columns: readonly number[], all: number): Content {
  const cells = columns.map((position): ((content: Reply, key: Bytes) => Value) => {
    const { name, type, options } = definition[position]!;
    if (position === all) {
      const asText = !["json", "jsonb"].includes(plainType(type));
      return (content, key) => {
        const object = Object.fromEntries(
          pairs(content).map((pair) => pair.map((part) => decodeText(part, key))),
        );
        return asText ? JSON.stringify(object) : object;
      };
    }
    const field = options.field ?? name;
    const decode = decoder(type);
    return (content, key) => {
      const found = pairs(content).find(([each]) => String(each) === field);
      return found ? decode(found[1], key) : null;
    };
  });
  return {
    binary: columns.some((position) => definition[position]!.type === "bytea"),
    async fetch(keys, run, options) {
      const replies = await run(
        keys.map((key) => ["HGETALL", key]),
        options,
      );
      return replies.map((reply) => {
        const fields = unlessWrongType("HGETALL", reply) as readonly Bytes[] | null;
        return fields?.length ? fields : null;
      });
    },
    cells,
    version(content) {
      const sorted = pairs(content).sort(([one], [other]) =>
        Buffer.compare(Buffer.from(one), Buffer.from(other)),
      );
      return version(sorted.flat());
    },
    words: (key) => `HGETALL ${key}`,
  };
}

function pairs(content: Reply): [Bytes, Bytes][] {
  const flat = content as readonly Bytes[];
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[index * 2]!, flat[index * 2 + 1]!]);
}

/**
 * The fields of a JSON object; null is no field, and what is no string is kept as JSON.
 * @throws SqlError 22023 for JSON that is no object
 */
export function readFields(json: string, column: string): Map<string, string> {
  // Numbers keep their digits.
  const value: unknown = JSON.parse(json, (_key, each, context?: { source?: string }) =>
    typeof each === "number" ? rawJson(context!.source!) : each,
  );
  if (typeof value !== "object" || value === null || Array.isArray(value) || isRawJson(value)) {
    throw new SqlError("22023", `The column "${column}" must be a JSON object of fields`);
  }
  return new Map(
    Object.entries(value)
      .filter(([, each]) => each !== null)
      .map(([field, each]) => [field, typeof each === "string" ? each : JSON.stringify(each)]),
  );
}

const { rawJSON: rawJson, isRawJSON: isRawJson } = JSON as unknown as {
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
};
