import type { Source } from "@overcoat/sources";

/** A source for tests of the extensions: what its tables hold is never asked. */
export const exampleSource: Source = {
  name: "example",
  options: {
    server: {
      url: { description: "where it is" },
      conn_url: { description: "as Supabase has it", synonymOf: "url" },
      client_id: { description: "who asks" },
      token: { description: "the credential", secret: true },
    },
    user: {
      token: { description: "the credential", secret: true },
      api_key: { description: "as Supabase has it", synonymOf: "token", secret: true },
    },
    table: {
      key_prefix: { description: "what keys begin with" },
      src_key: { description: "as Supabase has it", synonymOf: "key_prefix" },
    },
    column: { field: { description: "the field" } },
  },
  secretOption: "token",
  addresses: () => [],
  connect: async () => {
    throw new Error("Nothing to connect to");
  },
};
