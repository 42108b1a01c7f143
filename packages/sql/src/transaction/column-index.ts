import type { Filter, Tuple } from "@overcoat/sources";

/** Types whose equal values have equal texts. */
const canonical = /^(?:text|character varying(?:\(\d+\))?|uuid|smallint|integer|bigint|boolean)$/;

/** Own rows by the value of a column, so that a look-up by key need not see all of them. */
export class ColumnIndex {
  readonly #column: number;
  readonly #identities = new Map<string, Set<string>>();
  /** Rows whose value is not known. */
  readonly #unknown = new Set<string>();

  constructor(column: number) {
    this.#column = column;
  }

  /** A row may be added with several values; none is ever taken out. */
  add(identity: string, row: Tuple): void {
    const value = row[this.#column];
    if (value === undefined) this.#unknown.add(identity);
    if (value === undefined || value === null) return;
    const identities = this.#identities.get(value);
    if (identities) identities.add(identity);
    else this.#identities.set(value, new Set([identity]));
  }

  /** All rows that may have one of these values, and perhaps others. */
  find(values: readonly string[]): Set<string> {
    const found = new Set(this.#unknown);
    for (const value of values) for (const identity of this.#identities.get(value) ?? []) found.add(identity);
    return found;
  }
}

/** The values that rows must have in a column, by the first filter that tells them. */
export function equality(
  filters: readonly Filter[],
  types: readonly { readonly type: string }[],
): { readonly column: number; readonly values: readonly string[] } | undefined {
  for (const filter of filters) {
    const { column } = filter;
    if (!canonical.test(types[column]!.type)) continue;
    if (filter.kind === "in" && filter.values) return { column, values: filter.values };
    if (filter.kind === "compare" && filter.operator === "=" && filter.value !== undefined)
      return { column, values: [filter.value] };
  }
  return undefined;
}
