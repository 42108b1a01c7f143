import { SqlError } from "../../error.ts";
import type { Filter, Query, Table, Value } from "../../source.ts";
import type { Bytes, Command, Reply } from "../client/node.ts";
import { fromLike } from "../glob.ts";
import { exactKey, keyIdentity } from "../keys.ts";
import type { Layout } from "../layout.ts";
import type { Service } from "../plan.ts";
import { decoder, encode, plainType } from "../text.ts";
import { version } from "../version.ts";
import { type Elements, planElements, scanPage } from "./elements.ts";
import { memberChanges } from "./member-changes.ts";
import { rankedElements, scoreCell, scoreOf } from "./scores.ts";

/** A member of a set, a member and its score, or a field and its value. */
export type Member = readonly [name: Bytes, payload: Bytes | undefined];

/** The commands for sets, sorted sets or hashes. */
export interface MemberCommands {
  readonly scan: string;
  readonly count: string;
  /** Reads the payloads of some members. */
  readonly readMany: string;
  /** A member's payload, or 1; null or 0 where there is none. */
  readonly read: string;
  readonly remove: string;
  add(key: Bytes, name: Bytes, payload: Bytes | undefined): Command;
  readonly hasPayload: boolean;
}

const commandsOf: Readonly<Record<"set" | "zset" | "hash", MemberCommands>> = {
  set: {
    scan: "SSCAN",
    count: "SCARD",
    readMany: "SMISMEMBER",
    read: "SISMEMBER",
    remove: "SREM",
    add: (key, name) => ["SADD", key, name],
    hasPayload: false,
  },
  zset: {
    scan: "ZSCAN",
    count: "ZCARD",
    readMany: "ZMSCORE",
    read: "ZSCORE",
    remove: "ZREM",
    add: (key, name, payload) => ["ZADD", key, payload!, name],
    hasPayload: true,
  },
  hash: {
    scan: "HSCAN",
    count: "HLEN",
    readMany: "HMGET",
    read: "HGET",
    remove: "HDEL",
    add: (key, name, payload) => ["HSET", key, name, payload!],
    hasPayload: true,
  },
};

/** The positions of a table's columns. */
export interface MemberColumns {
  readonly name: number;
  /** -1 where no column shows it. */
  readonly payload: number;
}

/** Sets, sorted sets and hashes whose members are rows. */
export function memberTable(service: Service, layout: Layout): Table {
  const { definition } = layout;
  const commands = commandsOf[layout.type as keyof typeof commandsOf];
  const columns = readColumns(layout, commands);
  return {
    definition,
    plan(query) {
      const members = memberElements(layout, commands, columns, query);
      const elements = layout.type === "zset" ? rankedElements(layout, columns, query, members) : members;
      return planElements(service, layout, query, elements);
    },
    ...memberChanges(service, layout, commands, columns),
  };
}

function readColumns({ definition, roles, type }: Layout, { hasPayload }: MemberCommands): MemberColumns {
  const payloadRole = type === "zset" ? "score" : "value";
  const free = [...roles.keys()].filter((column) => roles[column] === undefined);
  const position = (...names: string[]) =>
    roles.findIndex((role) => role !== undefined && names.includes(role));
  let name = position("member", "field");
  if (name === -1) name = free.shift() ?? -1;
  let payload = hasPayload ? position(payloadRole) : -1;
  if (payload === -1 && hasPayload) payload = free.shift() ?? -1;
  if (name === -1 || free.length > 0) {
    const wanted = hasPayload
      ? `its ${type === "zset" ? "member and score" : "field and value"}`
      : "its member";
    throw new SqlError("HV00D", `The columns of "${definition.name}" do not fit a Redis ${type}`, {
      hint: `Besides the key it has columns for ${wanted}, and ttl and expires_at. Set the column option role to tell them apart.`,
    });
  }
  return { name, payload };
}

/** Reads the members with SCAN, or those that a filter names. */
function memberElements(
  layout: Layout,
  commands: MemberCommands,
  { name, payload }: MemberColumns,
  { filters }: Query,
): Elements<Member> {
  const { definition, type } = layout;
  const nameType = definition.columns[name]!.type;
  const decodeName = decoder(nameType);
  const wanted = wantedNames(filters, name, nameType);
  const { hasPayload } = commands;

  function cell(column: number): (element: Member, key: Bytes) => Value {
    if (column === name) return ([each], key) => decodeName(each, key);
    const { type: payloadType } = definition.columns[payload]!;
    if (type === "zset") return scoreCell(payloadType);
    const decode = decoder(payloadType);
    return ([, each], key) => decode(each!, key);
  }

  const common = {
    binary: [name, payload].some((column) => definition.columns[column]?.type === "bytea"),
    cell,
    identity: ([each]: Member) => keyIdentity(exactKey(each)),
    version: ([, each]: Member) => payloadVersion(type, each),
    sorted: false,
    count: (key: Bytes): Command => [commands.count, key],
  };
  if (wanted?.names) {
    const names = wanted.names;
    return {
      ...common,
      first: (key) => (names.length === 0 ? [commands.count, key] : [commands.readMany, key, ...names]),
      page(reply) {
        if (names.length === 0) return { elements: [] };
        const found = reply as readonly Reply[];
        return {
          elements: names.flatMap((each, index): Member[] => {
            const value = found[index]!;
            if (value === null || value === 0) return [];
            return [[each, hasPayload ? (value as Bytes) : undefined]];
          }),
        };
      },
      words: (key) => `${commands.readMany} ${key} ${names.map(String).join(" ")}`,
      handled: [wanted.index],
    };
  }
  const match = wanted?.match === undefined ? [] : ["MATCH", wanted.match];
  return {
    ...common,
    first: (key, count) => [commands.scan, key, "0", ...match, "COUNT", String(count)],
    page(reply, asked) {
      const { flat, next } = scanPage(reply, asked);
      const elements: Member[] = [];
      for (let index = 0; index < flat.length; index += hasPayload ? 2 : 1) {
        elements.push([flat[index]!, hasPayload ? flat[index + 1]! : undefined]);
      }
      return { elements, next };
    },
    repeated: ([each]) => each,
    words: (key) => [commands.scan, key, "0", ...match].join(" "),
    handled: wanted?.exact ? [wanted.index] : [],
  };
}

/** `1` and `1.0` are the same score. */
export function payloadVersion(type: string, payload: Bytes | undefined): string {
  if (payload === undefined) return "";
  return type === "zset" ? String(scoreOf(payload)) : version([payload]);
}

interface Wanted {
  readonly index: number;
  /** The only members that a row can have. */
  readonly names?: readonly Bytes[];
  /** MATCH */
  readonly match?: string;
  readonly exact: boolean;
}

/** What the filters say about the members' names. */
function wantedNames(filters: readonly Filter[], column: number, type: string): Wanted | undefined {
  const plain = plainType(type);
  if (!["text", "character varying", "bytea"].includes(plain)) return undefined;
  let best: Wanted | undefined;
  for (const [index, filter] of filters.entries()) {
    if (filter.column !== column || best?.names) continue;
    if (filter.kind === "compare" && filter.operator === "=") best = named(index, [filter.value]);
    if (filter.kind === "in") best = named(index, filter.values ?? [undefined]);
    if (filter.kind === "like" && filter.pattern !== undefined && plain !== "bytea") {
      const pattern = fromLike(filter.pattern);
      if (pattern?.text !== undefined) best = named(index, [pattern.text]);
      else if (pattern && pattern.glob !== "*") best ??= { index, match: pattern.glob, exact: pattern.exact };
    }
  }
  return best;

  /** What is not known yet stands for itself in estimates. */
  function named(index: number, texts: readonly (string | undefined)[]): Wanted {
    const names = [...new Set(texts)].map((text) => (text === undefined ? "$1" : encode(plain, text)));
    return { index, names, exact: true };
  }
}
