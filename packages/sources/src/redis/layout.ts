import { SqlError } from "../error.ts";
import type { Column, Options, TableDefinition } from "../source.ts";
import { literal } from "./glob.ts";
import { type KeyColumn, type Keyspace, keyColumn } from "./keys.ts";
import { invalid } from "./options.ts";
import { plainType } from "./text.ts";

/** What a column holds. */
export const roles = [
  "key",
  "value",
  "ttl",
  "expires_at",
  "field",
  "fields",
  "member",
  "score",
  "index",
  "id",
  "items",
] as const;
export type Role = (typeof roles)[number];

export const types = ["string", "hash", "list", "set", "zset", "stream"] as const;
export type Type = (typeof types)[number];

/** What a table is made of, as its options and columns say; the parts for each type say more. */
export interface Layout {
  readonly definition: TableDefinition;
  readonly type: Type;
  readonly keyspace: Keyspace;
  /** One row a key with all of its items, as `multi_…` of Supabase Wrappers. */
  readonly collected: boolean;
  /** Of each column; undefined where its name and options say nothing. */
  readonly roles: readonly (Role | undefined)[];
  /** Absent where no column shows the key. */
  readonly key?: { readonly position: number; readonly column: KeyColumn };
  /** INSERT of what exists replaces it. */
  readonly replaces: boolean;
  /** Milliseconds that inserted keys live. */
  readonly ttl?: number;
}

/** @throws SqlError HV00D for options that do not fit together, HV024 for a value that cannot be used */
export function readLayout(definition: TableDefinition): Layout {
  const { options } = definition;
  const { type, keyspace, collected, pairs } = readKeys(definition);
  const assigned = definition.columns.map((column) => readRole(column, type, pairs));
  const position = keyspace.only === undefined ? keyPosition(definition, assigned) : assigned.indexOf("key");
  if (position !== -1) assigned[position] = "key";
  return {
    definition,
    type,
    keyspace,
    collected,
    roles: assigned,
    key: position === -1 ? undefined : { position, column: readKeyColumn(definition, position, keyspace) },
    replaces: readConflict(options),
    ttl: options.ttl === undefined ? undefined : readTtl(options.ttl),
  };
}

/** Options of which a table has one. */
export const keyOptions = ["key_prefix", "key", "src_key"] as const;

interface Keys {
  readonly type: Type;
  readonly keyspace: Keyspace;
  readonly collected: boolean;
  /** The columns `key` and `value` are a hash's fields and values. */
  readonly pairs: boolean;
}

function readKeys({ name, options }: TableDefinition): Keys {
  const given = keyOptions.filter((option) => options[option] !== undefined);
  if (given.length === 0) {
    throw new SqlError("HV00D", `The foreign table "${name}" does not say which keys it shows`, {
      hint: "Set the table option key_prefix (such as 'session:'; '' for all keys), or key for a single one.",
    });
  }
  if (given.length > 1) {
    throw new SqlError("HV00D", `The table options ${given.join(" and ")} cannot be given together`);
  }
  if (options.src_key !== undefined) return readSupabaseKeys(options, options.src_key);
  if (options.src_type !== undefined) throw invalid("src_type", "it needs src_key; with key use type");
  return {
    type: readType("type", options.type ?? "string"),
    keyspace:
      options.key === undefined
        ? { prefix: options.key_prefix!, hidden: options.key_prefix! }
        : { only: options.key, prefix: "", hidden: "" },
    collected: false,
    pairs: false,
  };
}

/** https://supabase.github.io/wrappers/catalog/redis/ */
function readSupabaseKeys({ src_type: sourceType, type }: Options, key: string): Keys {
  if (type !== undefined) throw invalid("type", "src_type says it already");
  if (sourceType === undefined) throw invalid("src_key", "it needs src_type");
  const collected = sourceType.startsWith("multi_");
  const plain = readType("src_type", sourceType.replace(/^multi_/, ""));
  if (!collected) {
    return {
      type: plain,
      keyspace: { only: key, prefix: "", hidden: "" },
      collected,
      pairs: plain === "hash",
    };
  }
  const prefix = /^[^\\*?[\]]*/.exec(key)![0];
  const rest = key.slice(prefix.length);
  if (rest === "")
    return { type: plain, keyspace: { only: key, prefix: "", hidden: "" }, collected, pairs: false };
  const pattern = rest === "*" ? undefined : key;
  return { type: plain, keyspace: { prefix, pattern, hidden: "" }, collected, pairs: false };
}

function readType(option: string, value: string): Type {
  const type = types.find((each) => each === value.toLowerCase());
  if (!type) throw invalid(option, `"${value}" is none of ${types.join(", ")}`);
  return type;
}

function readConflict({ on_conflict: value }: Options): boolean {
  if (value === undefined || value === "error") return false;
  if (value === "replace") return true;
  throw invalid("on_conflict", "it is neither 'replace' nor 'error'");
}

function readTtl(value: string): number {
  const seconds = Number(value);
  if (!(seconds > 0 && seconds < 1e10)) throw invalid("ttl", "it is not a number of seconds");
  return Math.ceil(seconds * 1000);
}

const timeTypes: Readonly<Partial<Record<Role, readonly string[]>>> = {
  ttl: ["smallint", "integer", "bigint", "numeric", "real", "double precision", "interval"],
  expires_at: ["timestamp with time zone"],
};

/** Names that say what a column holds, in tables of a type. */
const names: Readonly<Record<Type, Readonly<Record<string, Role>>>> = {
  string: { value: "value" },
  hash: { fields: "fields", items: "fields", field: "field", value: "value" },
  list: { index: "index", position: "index", value: "value", element: "value", items: "items" },
  set: { member: "member", value: "member", element: "member", items: "items" },
  zset: { member: "member", value: "member", element: "member", score: "score", items: "items" },
  stream: { id: "id", fields: "fields", items: "fields" },
};

function readRole({ name, type, options }: Column, tableType: Type, pairs: boolean): Role | undefined {
  if (options.field !== undefined) return undefined;
  if (options.role !== undefined) {
    const role = roles.find((each) => each === options.role);
    if (!role) throw invalid("role", `"${options.role}" is none of ${roles.join(", ")}`);
    if (timeTypes[role] && !timeTypes[role].includes(plainType(type))) {
      throw new SqlError(
        "HV004",
        `The column "${name}" must have one of the types ${timeTypes[role].join(", ")}`,
      );
    }
    return role;
  }
  if (name === "ttl" || name === "expires_at") {
    return timeTypes[name]!.includes(plainType(type)) ? name : undefined;
  }
  if (name === "key") return pairs ? "field" : "key";
  return names[tableType][name];
}

/** The column that is the key: so called, or the first text that is nothing else. */
function keyPosition({ columns }: TableDefinition, assigned: readonly (Role | undefined)[]): number {
  const named = assigned.indexOf("key");
  if (named !== -1) return named;
  return columns.findIndex(
    ({ type, options }, position) =>
      assigned[position] === undefined &&
      options.field === undefined &&
      ["text", "character varying", "bytea", "uuid"].includes(plainType(type)),
  );
}

function readKeyColumn({ columns }: TableDefinition, position: number, keyspace: Keyspace): KeyColumn {
  const { name, type } = columns[position]!;
  const column = keyColumn(type, keyspace);
  if (column) return column;
  throw new SqlError("HV004", `The column "${name}" shows keys and cannot be of type ${type}`, {
    hint: "Use text, bytea, uuid or an integer type.",
  });
}

/** MATCH that finds all keys of a table. */
export function matchAll({ prefix, pattern }: Keyspace): string {
  return pattern ?? `${literal(prefix)}*`;
}
