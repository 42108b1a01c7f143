import { SqlError } from "../../error.ts";
import type { Table } from "../../source.ts";
import type { Bytes, Reply } from "../client/node.ts";
import { accepted, unlessWrongType } from "../errors.ts";
import type { Layout } from "../layout.ts";
import { plan, type Service } from "../plan.ts";
import { decoder, encode } from "../text.ts";
import { version } from "../version.ts";
import { type Content, contentColumns, onlyType, rowReader } from "./row.ts";
import { missingValue, rowChanges } from "./row-changes.ts";

/** Strings: a key is a row, and one column, if any, its value. */
export function stringTable(service: Service, layout: Layout): Table {
  const { definition } = layout;
  const [value, ...rest] = contentColumns(layout);
  if (value !== undefined && rest.length > 0) {
    const names = [value, ...rest].map((column) => `"${definition.columns[column]!.name}"`);
    throw new SqlError("HV00D", `Of the columns ${names.join(", ")} only one can be the value of a string`, {
      hint: "Besides the key a table of strings has one column, and ttl and expires_at. Or set the table option type.",
    });
  }
  const contentOf = (columns: readonly number[]) =>
    columns.length === 0 ? onlyType(layout) : stringContent(service, definition.columns[value!]!.type);
  return {
    definition,
    plan: (query) => plan(service, layout, query, rowReader(layout, service.redis.run, query, contentOf)),
    ...rowChanges(service, layout, contentOf, {
      check(row) {
        if (value === undefined || (row[value] ?? null) === null) throw missingValue(definition, value);
      },
      write(key, before, after) {
        const text = value === undefined ? undefined : after[value];
        if (text === undefined || text === before?.[value!]) return [];
        if (text === null) throw missingValue(definition, value);
        const bytes = encode(definition.columns[value!]!.type, text);
        return [before === undefined ? ["SET", key, bytes] : ["SET", key, bytes, "KEEPTTL"]];
      },
    }),
  };
}

function stringContent({ redis }: Service, type: string): Content {
  const decode = decoder(type);
  return {
    binary: type === "bytea",
    async fetch(keys, run, options) {
      // A cluster refuses MGET of several slots.
      if (!redis.clustered) {
        const [reply] = await run([["MGET", ...keys]], options);
        return accepted("MGET", reply!) as readonly Reply[];
      }
      const replies = await run(
        keys.map((key) => ["GET", key]),
        options,
      );
      return replies.map((reply) => unlessWrongType("GET", reply));
    },
    cells: [(content, key) => decode(content as Bytes, key)],
    version: (content) => version([content as Bytes]),
    words: (key) => `GET ${key}`,
  };
}
