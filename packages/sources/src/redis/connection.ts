import type { Connection, Table, TableDefinition } from "../source.ts";
import { openRedis } from "./client/redis.ts";
import { commit } from "./commit.ts";
import { accepted } from "./errors.ts";
import { findTables, importedOptions } from "./import.ts";
import { importedKeys } from "./imported-name.ts";
import { keyOptions, type Layout, readLayout } from "./layout.ts";
import type { Settings } from "./options.ts";
import type { Service } from "./plan.ts";
import { collectedTable } from "./tables/collected.ts";
import { hashTable } from "./tables/hash.ts";
import { listTable } from "./tables/list.ts";
import { memberTable } from "./tables/members.ts";
import { streamTable } from "./tables/stream.ts";
import { stringTable } from "./tables/string.ts";

/** What IMPORT FOREIGN SCHEMA finds tables in, besides the number of the database. */
const schemaName = "redis";

/** Milliseconds that a count of keys is good for estimates. */
const sizeAge = 5000;

/** @throws SqlError 08001 when the service cannot be reached, 28P01 when it refuses the log-in */
export async function connect(settings: Settings): Promise<Connection> {
  const redis = openRedis(settings);
  try {
    await redis.masters();
  } catch (error) {
    redis.close();
    throw error;
  }
  let sized = { at: Number.NEGATIVE_INFINITY, keys: Promise.resolve(0) };
  const service: Service = {
    redis,
    size() {
      const now = performance.now();
      if (now - sized.at > sizeAge) {
        sized = { at: now, keys: countKeys() };
        sized.keys.catch(() => (sized.at = Number.NEGATIVE_INFINITY));
      }
      return sized.keys;
    },
  };

  async function countKeys(): Promise<number> {
    let sum = 0;
    for (const run of await redis.masters())
      sum += accepted("DBSIZE", (await run([["DBSIZE"]]))[0]!) as number;
    return sum;
  }

  return {
    table: (definition) => table(service, definition),
    tables: async (schema, names, signal) =>
      schema === schemaName || schema === String(settings.client.database)
        ? await findTables(redis, schema, names, signal)
        : undefined,
    commit: (changes, signal) => commit(redis, changes, signal),
    [Symbol.asyncDispose]: async () => redis.close(),
  };
}

function table(service: Service, definition: TableDefinition): Table {
  const layout = readLayout(withKeys(definition));
  switch (layout.type) {
    case "string":
      return stringTable(service, layout);
    case "hash":
      return areMembers(layout) ? memberTable(service, layout) : hashTable(service, layout);
    case "stream":
      return streamTable(service, layout);
    case "list":
      return areCollected(layout) ? collectedTable(service, layout) : listTable(service, layout);
    default:
      return areCollected(layout) ? collectedTable(service, layout) : memberTable(service, layout);
  }
}

/** An imported table has no options: its name says which keys it shows. */
function withKeys(definition: TableDefinition): TableDefinition {
  const { options, remote } = definition;
  if (remote === undefined || keyOptions.some((option) => options[option] !== undefined)) return definition;
  return { ...definition, options: { ...options, ...importedOptions(importedKeys(remote.name)) } };
}

/** Whether each field of a hash is a row. */
const areMembers = ({ roles }: Layout) => roles.includes("field") && roles.includes("value");

const areCollected = ({ roles, collected }: Layout) => collected || roles.includes("items");
