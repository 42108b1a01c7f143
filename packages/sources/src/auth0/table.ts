import { SqlError } from "../error.ts";
import type { Column, Plan, Query, Row, Table, TableChanges, TableDefinition } from "../source.ts";
import type { Api, Item } from "./api.ts";
import { type Kind, kinds } from "./kinds/index.ts";
import { type Condition, holds, testOf } from "./read/condition.ts";
import type { ReadRequest } from "./read/request.ts";
import { columnValue, isInteger, isJson, isText, isTimestamp, reach } from "./values.ts";

/** Where a column's value is in an object: at a path, or the whole object where the path is empty. */
export interface Place {
  readonly column: Column;
  readonly path: readonly string[];
}

/** Identities that are looked up at once. */
const lookups = 4;

export class Auth0Table implements Table {
  readonly definition: TableDefinition;
  readonly kind: Kind;
  readonly places: readonly Place[];
  readonly changes: TableChanges | undefined;
  readonly #api: Api;

  constructor(definition: TableDefinition, api: Api) {
    this.definition = definition;
    this.#api = api;
    this.kind = kindOf(definition);
    this.places = definition.columns.map((column) => ({ column, path: pathOf(column, this.kind) }));
    this.changes = this.#changes();
  }

  plan(query: Query): Plan {
    const { kind, places } = this;
    const conditions: Condition[] = [];
    const handled = query.filters.map((filter) => {
      const { path, column } = places[filter.column]!;
      const test = this.#tells(path, column.type) ? testOf(filter, column.type) : undefined;
      if (test) conditions.push({ attribute: path.join("."), test });
      return test !== undefined;
    });
    const limit = handled.every(Boolean) ? query.limit : undefined;
    const reading = kind.read({
      api: this.#api,
      conditions,
      fields: this.#fields(query, conditions),
      sort: this.#sort(query),
      limit,
    });
    const sorted = query.sort.length === 0 || (reading.sorted ?? false);
    const most = (sorted ? limit : undefined) ?? Number.POSITIVE_INFINITY;
    return {
      handled,
      sorted,
      rows: Math.min(reading.rows, most),
      calls: reading.calls,
      requests: reading.requests,
      scan: (signal) => this.#rows(query, conditions, reading.pages(signal), most),
    };
  }

  /**
   * Whether an object has at this path what a column of this type holds. A part of metadata may be any JSON, such as
   * a number as text, which only PostgreSQL reads as it does: filters on it are left to it.
   */
  #tells(path: readonly string[], type: string): boolean {
    const [root = "", ...parts] = path;
    if (path.length === 0) return false;
    if (isText(type)) return true;
    const attribute = parts.length === 0 ? this.kind.attributes[root]! : "";
    return [isInteger, isTimestamp].some((is) => is(attribute) && is(type)) || attribute === type;
  }

  /** The values that make up an object's key. */
  keyOf(identity: string): readonly string[] {
    return this.kind.key.length === 1 ? [identity] : (JSON.parse(identity) as string[]);
  }

  async *#rows(
    query: Query,
    conditions: readonly Condition[],
    pages: AsyncIterable<readonly Item[]>,
    most: number,
  ): AsyncIterable<readonly Row[]> {
    if (most <= 0) return;
    const checks = conditions.map(({ attribute, test }) => ({ path: attribute.split("."), test }));
    const columns = query.columns.map((position) => this.places[position]!);
    const { version } = this.kind;
    let left = most;
    for await (const items of pages) {
      const rows: Row[] = [];
      for (const item of items) {
        if (rows.length === left) break;
        if (!checks.every(({ path, test }) => holds(reach(item, path), test))) continue;
        const row = columns.map(({ path, column }) =>
          columnValue(path.length === 0 ? item : reach(item, path), column.type),
        );
        if (query.identity) row.push(this.#identity(item));
        if (query.identity && version) row.push(String(item[version] ?? ""));
        rows.push(row);
      }
      left -= rows.length;
      if (rows.length > 0) yield rows;
      if (left === 0) return;
    }
  }

  #identity(item: Item): string {
    const values = this.kind.key.map((attribute) => String(item[attribute]));
    return values.length === 1 ? values[0]! : JSON.stringify(values);
  }

  #fields(query: Query, conditions: readonly Condition[]): ReadRequest["fields"] {
    const { key, version } = this.kind;
    const paths = query.columns.map((position) => this.places[position]!.path);
    if (paths.some((path) => path.length === 0)) return undefined;
    const fields = new Set(
      [...paths, ...conditions.map(({ attribute }) => attribute.split("."))].map((path) => path[0]!),
    );
    for (const attribute of key) fields.add(attribute);
    if (query.identity && version) fields.add(version);
    return [...fields];
  }

  #sort({ sort }: Query): ReadRequest["sort"] {
    const [first, ...others] = sort;
    if (!first || others.length > 0) return undefined;
    const { path, column } = this.places[first.column]!;
    if (path.length !== 1 || !isTimestamp(column.type)) return undefined;
    const { descending, nullsFirst } = first;
    return { attribute: path[0]!, descending, nullsFirst };
  }

  #changes(): TableChanges | undefined {
    const { kind, places } = this;
    if (!kind.insert && !kind.update && !kind.delete) return undefined;
    const at = kind.key.map((attribute) =>
      places.findIndex(({ path }) => path.length === 1 && path[0] === attribute),
    );
    return {
      insert: kind.insert !== undefined,
      update: kind.update !== undefined,
      delete: kind.delete !== undefined,
      identity: (row) => {
        const values = at.map((position) => row[position]);
        if (kind.key.length > 1) {
          const missing = kind.key.find((_, index) => values[index] === null || values[index] === undefined);
          if (missing) throw new SqlError("23502", `a row of ${kind.name} needs a value for ${missing}`);
          return JSON.stringify(values);
        }
        // Auth0 makes up ids but for those of users, which it may be given after the provider and a bar.
        const [id] = values;
        return kind.name === "users" && id?.includes("|") ? id : undefined;
      },
      exist: async (identities, signal) => {
        const found: boolean[] = [];
        for (let start = 0; start < identities.length; start += lookups)
          found.push(
            ...(await Promise.all(
              identities
                .slice(start, start + lookups)
                .map(
                  async (identity) =>
                    (await kind.find!(this.#api, this.keyOf(identity), signal)) !== undefined,
                ),
            )),
          );
        return found;
      },
    };
  }
}

function kindOf({ name, options, remote }: TableDefinition): Kind {
  const object = options.object ?? remote?.name ?? "users";
  const kind = kinds.get(object);
  if (!kind)
    throw new SqlError("HV00D", `foreign table "${name}": Auth0 has no object "${object}"`, {
      hint: `The option object is one of ${[...kinds.keys()].join(", ")}.`,
    });
  return kind;
}

/**
 * A column is an attribute by its name (in any case, since PostgreSQL folds names), an attribute's part by a
 * dotted name such as `user_metadata.city`, or, of type json or jsonb and any other name, the whole object.
 */
function pathOf({ name, type }: Column, kind: Kind): readonly string[] {
  const [root = "", ...parts] = name.split(".");
  const attribute = Object.hasOwn(kind.attributes, root)
    ? root
    : Object.keys(kind.attributes).find((each) => each.toLowerCase() === root.toLowerCase());
  if (attribute !== undefined) return [attribute, ...parts];
  if (isJson(type)) return [];
  throw new SqlError("HV005", `${kind.name} of Auth0 have no attribute "${name}"`, {
    detail: `Attributes are ${Object.keys(kind.attributes).join(", ")}.`,
    hint: "A column of type jsonb and any other name holds the whole object; user_metadata.city is a part of an attribute.",
  });
}
