import type { RowGroup, Statistics } from "hyparquet";
import { parseLike } from "../../../like.ts";
import type { Filter } from "../../../source.ts";
import type { Kind } from "./kind.ts";

/** A condition on a column of the file. */
export interface FileFilter {
  readonly filter: Filter;
  readonly name: string;
  /** Of the column in SQL. */
  readonly type: string;
  readonly kind: Kind;
}

/** Values of one column that compare with `<`: those of the statistics and those of filters. */
interface Domain<Key> {
  /** From the statistics; `undefined` when it does not tell. */
  stored(value: unknown): Key | undefined;
  /** From a filter's text; `undefined` when it cannot be compared. */
  asked(text: string): Key | undefined;
  compare(a: Key, b: Key): number;
  /** Whether values may lie above what the statistics call the greatest: NaN does. */
  readonly openAbove?: boolean;
}

/** Whether no row of the group can satisfy all filters. */
export const isExcluded = (group: RowGroup, filters: readonly FileFilter[]): boolean =>
  filters.some((filter) => excludes(group, filter));

function excludes(group: RowGroup, { filter, name, type, kind }: FileFilter): boolean {
  const column = group.columns.find(
    ({ meta_data: meta }) => meta?.path_in_schema.length === 1 && meta.path_in_schema[0] === name,
  );
  const statistics = column?.meta_data?.statistics;
  if (!statistics) return false;
  const { null_count: nulls } = statistics;
  if (filter.kind === "null") return filter.isNull ? nulls === 0n : nulls === group.num_rows;
  if (nulls === group.num_rows) return true;
  const domain = domainOf(kind, type);
  return domain !== undefined && outside(filter, statistics, domain);
}

function outside(
  filter: Exclude<Filter, { kind: "null" }>,
  { min_value, max_value }: Statistics,
  domain: Domain<unknown>,
): boolean {
  const least = domain.stored(min_value);
  const most = domain.stored(max_value);
  if (least === undefined || most === undefined) return false;
  const below = (text: string) => {
    const key = domain.asked(text);
    return key !== undefined && domain.compare(key, least) < 0;
  };
  const above = (text: string) => {
    const key = domain.asked(text);
    return key !== undefined && !domain.openAbove && domain.compare(key, most) > 0;
  };
  switch (filter.kind) {
    case "in":
      return filter.values?.every((value) => below(value) || above(value)) ?? false;
    case "like": {
      const like = filter.pattern === undefined ? undefined : parseLike(filter.pattern);
      if (!like?.prefix || !(least instanceof Buffer) || !(most instanceof Buffer)) return false;
      const prefix = Buffer.from(like.prefix);
      return Buffer.compare(most, prefix) < 0 || Buffer.compare(least.subarray(0, prefix.length), prefix) > 0;
    }
    case "compare": {
      const { operator, value } = filter;
      if (value === undefined) return false;
      const key = domain.asked(value);
      if (key === undefined) return false;
      switch (operator) {
        case "=":
          return below(value) || above(value);
        case "<":
          return domain.compare(key, least) <= 0;
        case "<=":
          return below(value);
        case ">":
          return !domain.openAbove && domain.compare(key, most) >= 0;
        case ">=":
          return above(value);
        case "<>":
          return false;
      }
    }
  }
}

const order = <Key extends number | bigint>(a: Key, b: Key) => (a < b ? -1 : a > b ? 1 : 0);

/** Whether the text begins so only if it is an integer. */
const integer = (text: string) => (/^-?\d+$/.test(text) ? BigInt(text) : undefined);

const integers: Domain<bigint> = {
  stored: (value) => (typeof value === "number" || typeof value === "bigint" ? BigInt(value) : undefined),
  asked: integer,
  compare: order,
};

const floats: Domain<number> = {
  stored: (value) => (typeof value === "number" && !Number.isNaN(value) ? value : undefined),
  asked: (text) => (/^-?[\d.]+(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined),
  compare: order,
  openAbove: true,
};

const strings: Domain<Buffer> = {
  stored: (value) =>
    value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.length) : undefined,
  asked: (text) => Buffer.from(text),
  compare: Buffer.compare,
};

const dates: Domain<number> = {
  stored: (value) => (typeof value === "number" ? value : undefined),
  asked: (text) =>
    /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) / 86_400_000 : undefined,
  compare: order,
};

const scales = { MILLIS: [1000n, 1n], MICROS: [1n, 1n], NANOS: [1n, 1000n] } as const;

const timestamps = (unit: keyof typeof scales): Domain<bigint> => ({
  stored(value) {
    if (typeof value !== "bigint") return undefined;
    const [times, by] = scales[unit];
    const scaled = value * times;
    return scaled >= 0n ? scaled / by : -((-scaled + by - 1n) / by);
  },
  asked(text) {
    const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:\+00)?$/.exec(text);
    if (!match) return undefined;
    const [, date, time, fraction = ""] = match;
    return BigInt(Date.parse(`${date}T${time}Z`)) * 1000n + BigInt(fraction.padEnd(6, "0"));
  },
  compare: order,
});

/** Where column and file have types that compare alike. */
function domainOf(kind: Kind, type: string): Domain<unknown> | undefined {
  const domain = (() => {
    switch (kind.kind) {
      case "integer":
        return /^(smallint|integer|bigint)$/.test(type) ? integers : undefined;
      case "double":
        return type === "double precision" ? floats : undefined;
      case "string":
        return /^(text|character varying)/.test(type) ? strings : undefined;
      case "date":
        return type === "date" ? dates : undefined;
      case "timestamp":
        return /^timestamp (with|without) time zone$/.test(type) ? timestamps(kind.unit) : undefined;
    }
  })();
  return domain as Domain<unknown> | undefined;
}
