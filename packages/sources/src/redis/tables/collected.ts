import { SqlError } from "../../error.ts";
import type { Table, Value } from "../../source.ts";
import type { Bytes, Command, Reply } from "../client/node.ts";
import { unlessWrongType } from "../errors.ts";
import type { Layout } from "../layout.ts";
import { plan, type Service } from "../plan.ts";
import { decodeText, plainType } from "../text.ts";
import { version } from "../version.ts";
import { type Content, contentColumns, onlyType, rowReader } from "./row.ts";

type Collection = "list" | "set" | "zset";

const commands: Readonly<Record<Collection, (key: Bytes) => Command>> = {
  list: (key) => ["LRANGE", key, "0", "-1"],
  set: (key) => ["SMEMBERS", key],
  zset: (key) => ["ZRANGE", key, "0", "-1"],
};

/** Lists, sets and sorted sets that are a row each, all elements in one column: only read. */
export function collectedTable(service: Service, layout: Layout): Table {
  const { definition } = layout;
  const [items, ...rest] = contentColumns(layout);
  if (rest.length > 0) {
    throw new SqlError(
      "HV00D",
      `The columns of "${definition.name}" do not fit a Redis ${layout.type} as one row`,
      {
        hint: "Besides the key it has one column for all elements, of type jsonb or text[], and ttl and expires_at.",
      },
    );
  }
  const contentOf = (columns: readonly number[]) =>
    columns.length === 0
      ? onlyType(layout)
      : collectedContent(layout.type as Collection, definition.columns[items!]!.type);
  return {
    definition,
    plan: (query) => plan(service, layout, query, rowReader(layout, service.redis.run, query, contentOf)),
  };
}

function collectedContent(type: Collection, columnType: string): Content {
  const asText = !["json", "jsonb", "text[]"].includes(plainType(columnType));
  function show(content: Reply, key: Bytes): Value {
    const texts = (content as readonly Bytes[]).map((each) => decodeText(each, key));
    // A set has no order: the same set is shown the same.
    if (type === "set") texts.sort();
    return asText ? JSON.stringify(texts) : texts;
  }
  return {
    binary: false,
    async fetch(keys, run, options) {
      const replies = await run(keys.map(commands[type]), options);
      return replies.map((reply) => {
        const found = unlessWrongType(type, reply) as readonly Bytes[] | null;
        return found?.length ? found : null;
      });
    },
    cells: [show],
    version: (content) => version(content as readonly Bytes[]),
    words: (key) => commands[type](key).join(" "),
  };
}
