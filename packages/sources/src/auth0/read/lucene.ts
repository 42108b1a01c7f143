import type { Condition, Test } from "./condition.ts";

/**
 * Attributes that Auth0's search compares as whole values. What it is asked may find more than the condition
 * allows, never less: case is ignored in some, dates have milliseconds only, and what an index does to
 * metadata, to long values or to odd characters is not documented, so these are not asked for.
 */
export interface Searchable {
  readonly texts: ReadonlySet<string>;
  /** Those of `texts` that are compared without regard to case. */
  readonly folded: ReadonlySet<string>;
  readonly booleans: ReadonlySet<string>;
  readonly numbers: ReadonlySet<string>;
  readonly dates: ReadonlySet<string>;
}

/** Longer values might not be in the index. */
const longestValue = 250;
const mostValues = 50;
/** Characters in an address: what is longer might be refused. */
const longestQuery = 4000;
const largestInteger = 2 ** 31 - 1;

/**
 * The query that narrows a search down to these conditions as far as they can be, undefined where they cannot;
 * and whether it finds what they allow and no more.
 */
export function luceneQuery(
  conditions: readonly Condition[],
  searchable: Searchable,
): { query: string | undefined; exact: boolean } {
  let query = "";
  let exact = true;
  for (const { attribute, test } of conditions) {
    const term = termOf(attribute, test, searchable);
    if (term === undefined || encodeURIComponent(query + term).length > longestQuery) {
      exact = false;
      continue;
    }
    query += query ? ` AND ${term}` : term;
    if (test.kind === "equals" || test.kind === "prefix") exact = false;
  }
  return { query: query || undefined, exact };
}

/** `field:[from TO to]`, a bound left out standing for an open end. */
export const range = (field: string, from: string | undefined, to: string | undefined) =>
  `${field}:[${from === undefined ? "*" : escaped(from)} TO ${to === undefined ? "*" : escaped(to)}]`;

function termOf(field: string, test: Test, searchable: Searchable): string | undefined {
  const { texts, folded, booleans, numbers, dates } = searchable;
  switch (test.kind) {
    case "equals": {
      const { values } = test;
      if (!texts.has(field) || !values?.length || values.length > mostValues || !values.every(indexed))
        return undefined;
      const phrases = values.map((value) => `"${value.replace(/["\\]/g, "\\$&")}"`);
      return phrases.length === 1 ? `${field}:${phrases[0]}` : `${field}:(${phrases.join(" OR ")})`;
    }
    case "prefix": {
      if (!texts.has(field) || !indexed(test.text)) return undefined;
      if (!folded.has(field)) return `${field}:${escaped(test.text)}*`;
      // An index without regard to case has small letters.
      return /^[\x20-\x7e]+$/.test(test.text) ? `${field}:${escaped(test.text.toLowerCase())}*` : undefined;
    }
    case "is":
      return booleans.has(field) ? `${field}:${test.value}` : undefined;
    case "number": {
      const { operator, value } = test;
      if (!numbers.has(field) || operator === "<>" || value < 0 || value > largestInteger) return undefined;
      if (operator === "=") return `${field}:${value}`;
      return operator.startsWith(">")
        ? range(field, String(value), undefined)
        : range(field, undefined, String(value));
    }
    case "date": {
      const { operator, value } = test;
      if (!dates.has(field) || operator === "<>") return undefined;
      // Outwards to whole milliseconds.
      const down = iso(value - (((value % 1000n) + 1000n) % 1000n));
      const up = iso(value + (((-value % 1000n) + 1000n) % 1000n));
      if (operator === "=") return range(field, down, up);
      return operator.startsWith(">") ? range(field, down, undefined) : range(field, undefined, up);
    }
  }
}

/** Whether a value is one that any index keeps as it is. */
const indexed = (value: string) =>
  value.length <= longestValue && /[\p{L}\p{N}]/u.test(value) && !/\p{C}|[^\P{Z} ]/u.test(value);

const iso = (micros: bigint) => new Date(Number(micros / 1000n)).toISOString();

const escaped = (text: string) => text.replace(/[^\p{L}\p{N}_.]/gu, "\\$&");
