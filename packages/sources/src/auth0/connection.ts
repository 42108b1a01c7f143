import type { Connection, TableDefinition } from "../source.ts";
import { Api } from "./api.ts";
import { commit } from "./commit.ts";
import { kinds } from "./kinds/index.ts";
import type { Settings } from "./options.ts";
import { Auth0Table } from "./table.ts";

/** The schema that IMPORT FOREIGN SCHEMA knows. */
const schemaName = "auth0";

export function openConnection(settings: Settings): Connection {
  const api = new Api(settings);
  return {
    table: (definition) => new Auth0Table(definition, api),
    async tables(schema, names) {
      if (schema !== schemaName) return undefined;
      return [...kinds.values()].filter(({ name }) => names?.includes(name) ?? true).map(importable);
    },
    commit: (changes, signal) => commit(api, changes, signal),
    async [Symbol.asyncDispose]() {},
  };
}

const importable = ({
  name,
  attributes,
}: {
  name: string;
  attributes: Readonly<Record<string, string>>;
}): TableDefinition => ({
  name,
  options: { object: name },
  columns: Object.entries(attributes)
    .filter(([attribute]) => attribute !== "password")
    .map(([attribute, type]) => ({ name: attribute, type, options: {} })),
  remote: { schema: schemaName, name },
});
