import { SqlError } from "../../error.ts";
import type { Query, Table } from "../../source.ts";
import type { Bytes, Reply } from "../client/node.ts";
import { accepted, unlessWrongType } from "../errors.ts";
import type { Layout } from "../layout.ts";
import { plan, type Service } from "../plan.ts";
import { decoder } from "../text.ts";
import { version } from "../version.ts";
import { type Content, contentColumns, rowReader } from "./row.ts";

/** Strings: a key is a row, and one column, if any, its value. */
export function stringTable(service: Service, layout: Layout): Table {
  const { definition } = layout;
  const columns = contentColumns(layout);
  if (columns.length > 1) {
    const names = columns.map((column) => `"${definition.columns[column]!.name}"`);
    throw new SqlError("HV00D", `Of the columns ${names.join(", ")} only one can be the value of a string`, {
      hint: "Besides the key a table of strings has one column, and ttl and expires_at. Or set the table option type.",
    });
  }
  return {
    definition,
    plan: (query: Query) =>
      plan(
        service,
        layout,
        query,
        rowReader(layout, service.redis.run, query, () => stringContent(service, layout)),
      ),
  };
}

function stringContent({ redis }: Service, layout: Layout): Content {
  const { type } = layout.definition.columns[contentColumns(layout)[0]!]!;
  const decode = decoder(type);
  return {
    binary: type === "bytea",
    async fetch(keys, run, options) {
      // MGET of several slots is refused by a cluster.
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
    words: (key) => `${key.includes("*") ? "MGET" : "GET"} ${key}`,
  };
}
