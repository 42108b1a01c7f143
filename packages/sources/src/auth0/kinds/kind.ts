import type { Api, Item } from "../api.ts";
import type { Reading, ReadRequest } from "../read/request.ts";

/** What a table holds. */
export interface Kind {
  /** As the table option `object` names it. */
  readonly name: string;
  /** PostgreSQL's types of the attributes, by name. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The attributes that tell one object from the others. */
  readonly key: readonly string[];
  /** Where two versions of an object differ in it, the object was changed meanwhile. */
  readonly version?: string;
  read(request: ReadRequest): Reading;
  /** The object of a key, undefined where there is none; for objects that can be made or changed. */
  find?(api: Api, key: readonly string[], signal: AbortSignal): Promise<Item | undefined>;
  /** Attributes that can be written; none where not given. */
  readonly writable?: ReadonlySet<string>;
  /** @throws SqlError 23502 where an attribute is missing */
  insert?(api: Api, values: Item, signal: AbortSignal): Promise<void>;
  /** `values` are the attributes that change, `before` what is known of the object as it was read. */
  update?(api: Api, key: readonly string[], values: Item, before: Item, signal: AbortSignal): Promise<void>;
  delete?(api: Api, key: readonly string[], signal: AbortSignal): Promise<void>;
}

/** Types that appear often. */
export const text = "text";
export const boolean = "boolean";
export const jsonb = "jsonb";
export const timestamptz = "timestamp with time zone";
