import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, type ExampleCluster, kinds, startExampleCluster } from "./cluster.testing.ts";
import { extensionFiles } from "./extension.ts";
import { exampleSource } from "./source.testing.ts";

const create = (options: string) => `CREATE SERVER x FOREIGN DATA WRAPPER example_fdw OPTIONS (${options})`;
const map = (options: string) => `CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (${options})`;
const table = (options: string, column = "") =>
  `CREATE FOREIGN TABLE x (a text ${column}) SERVER s OPTIONS (${options})`;

describe.each(kinds.filter(({ version }) => version === 18 || version === 14))(
  "the validator (PostgreSQL $version, as a script: $script)",
  (kind) => {
    let example: ExampleCluster;
    let database: Database;
    beforeAll(async () => {
      example = await startExampleCluster(kind);
      database = await example.database();
      await database.query(create("url 'u'").replace("x", "s"));
    });
    afterAll(() => example?.[Symbol.asyncDispose]());

    test.each([
      [
        create("uri 'u'"),
        'invalid option "uri"',
        /^Valid options of a server .*: client_id, secret, token, url; and/,
      ],
      [map("key 'u'"), 'invalid option "key"', /^Valid options of a user mapping .*: secret, token; and/],
      [
        table("prefix 'u'"),
        'invalid option "prefix"',
        /^Valid options of a foreign table .*: key_prefix; and/,
      ],
      [
        table("key_prefix 'u'", "OPTIONS (x 'y')"),
        'invalid option "x"',
        /^Valid options of a column .*: field; and/,
      ],
      [create("token_id 'u'"), 'invalid option "token_id"', /^Give secret 'NAME'/],
      [create("vault_token 'u'"), 'invalid option "vault_token"', /^Give secret 'NAME'/],
      [create("url 'u', conn_url 'v'"), 'options "url" and "conn_url" mean the same', /^Give one/],
      [map("options '-c search_path=x'"), 'invalid option "options"', /./],
      [create("extensions 'hstore'"), 'option "extensions" is not for servers of example_fdw', undefined],
      [
        "ALTER FOREIGN DATA WRAPPER example_fdw OPTIONS (ADD url 'u')",
        'invalid option "url"',
        /^Valid options of the wrapper of example_fdw: none/,
      ],
    ])("refuses: %s", async (statement, message, hint) => {
      const error = await database.query(statement).catch((error) => error);
      expect(error.message).toBe(message);
      expect(error.code).toMatch(/^HV0/);
      if (hint) expect(error.hint).toMatch(hint);
    });

    test.each([
      create("fetch_size 'many'"),
      create("use_remote_estimate 'perhaps'"),
      create("user 'u'"),
      map("host 'h'"),
      table("fetch_size '-1'"),
      table("key_prefix 'x'", "OPTIONS (host 'h')"),
    ])("postgres_fdw checks its own options: %s", async (statement) => {
      await expect(database.query(statement)).rejects.toMatchObject({
        code: expect.stringMatching(/^(HV00|22|42601)/),
      });
    });

    test("accepts what each level knows", async () => {
      const other = await example.database();
      await other.query([
        create("conn_url 'u', client_id 'c', secret 'NAME', sslmode 'require', fetch_size '5'").replace(
          "x",
          "s",
        ),
        map("api_key 'u', user 'u', password 'p', password_required 'false', sslcert 'c', sslkey 'k'"),
        `CREATE FOREIGN TABLE x (a text OPTIONS (field 'f', column_name 'A')) SERVER s
        OPTIONS (src_key 'k', updatable 'false', batch_size '3')`,
      ]);
      expect(other.notices()).toEqual([]);
    });
  },
);

test("no source may take a name of postgres_fdw's or libpq's for an option", () => {
  const options = { ...exampleSource.options, table: { host: { description: "no" } } };
  expect(() => extensionFiles([{ ...exampleSource, options }])).toThrow(/"host" has a meaning of its own/);
});
