import type { SortKey } from "../../source.ts";
import type { Api, Item } from "../api.ts";
import type { Condition } from "./condition.ts";

/** What a table is asked for, in terms of attributes. */
export interface ReadRequest {
  readonly api: Api;
  readonly conditions: readonly Condition[];
  /** Attributes that are needed; undefined for all. */
  readonly fields: readonly string[] | undefined;
  /** The first key of the order asked for, where it is of a type whose order both sides agree on. */
  readonly sort: (Omit<SortKey, "column"> & { readonly attribute: string }) | undefined;
  /** Objects that are needed at most, where all conditions of the query are in `conditions`. */
  readonly limit: number | undefined;
}

/** A way to read objects that holds all that satisfy the conditions, perhaps more. */
export interface Reading {
  /** Whether the objects come in the order of `sort`. */
  readonly sorted?: boolean;
  /** Objects that are expected. */
  readonly rows: number;
  readonly calls: number;
  readonly requests: readonly string[];
  pages(signal: AbortSignal): AsyncIterable<readonly Item[]>;
}

/** The values that an attribute is to equal: without any where they are not known yet; undefined for no such condition. */
export function equalTo(
  { conditions }: ReadRequest,
  attribute: string,
): { readonly values: readonly string[]; readonly count: number } | undefined {
  for (const { attribute: name, test } of conditions) {
    if (name !== attribute || test.kind !== "equals") continue;
    const values = [...new Set(test.values ?? [])];
    return { values, count: test.values ? values.length : 1 };
  }
  return undefined;
}
