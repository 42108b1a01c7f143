import { type Auth0Options, type Auth0Server, startAuth0 } from "@overcoat/simulators";
import { literal } from "./conditions.ts";
import { Random } from "./random.ts";
import type { Comparable, ComparedService } from "./service.ts";
import type { ComparedColumn, ComparedTable, LocalRow } from "./table.ts";

const credentials = { clientId: "test-client", clientSecret: "test-secret-0123456789" };
/** Users of this connection have no password. */
const connection = "email";
const emails = [
  "ada@example.com",
  "Zoe.X@example.com",
  "bob+tag@example.com",
  "o'neil@example.org",
  "é@example.com",
];
const names = [
  "Ada Lovelace",
  "ada lovelace",
  "Zoë",
  "O'Neil",
  'a "quoted" one',
  "x*y?",
  "back\\slash",
  "日本 語",
  "AND",
];
const documents = ["{}", '{"a": 1}', '{"a": "1", "b": [1, "x"]}', '{"d": {"e": "é😀"}}'];
const times = ["2024-02-29 12:00:00+00", "2019-12-31 23:59:59.999+00", "2025-06-01 08:15:30.5+00"];

const column = (
  name: string,
  type: ComparedColumn["type"],
  samples: readonly string[],
  attribute?: string,
): ComparedColumn => ({
  name,
  type,
  samples,
  ...(attribute && { options: `column_name '${attribute}'` }),
});

const users: ComparedTable = {
  key: "user_id",
  unique: "logins_count",
  groups: ["blocked", "nickname"],
  columns: [
    column("user_id", "text", ["auth0|1", "auth0|77", "auth0|119", "auth0|", "AUTH0|1", "none"]),
    column(
      "email",
      "text",
      emails.map((email, i) => `${i + 5}${email}`),
    ),
    column("name", "text", [...names, "nobody"]),
    column("nickname", "text", ["red", "Red", "green blue", "gone"]),
    column("email_verified", "boolean", ["true", "false"]),
    column("blocked", "boolean", ["true", "false"]),
    column("logins_count", "bigint", ["0", "1", "13", "77", "119", "1000"]),
    column("last_login", "timestamp with time zone", times),
    column("user_metadata", "jsonb", documents),
    column("level", "integer", ["0", "1", "2", "30"], "app_metadata.level"),
    column("trial", "boolean", ["true", "false"], "app_metadata.trial"),
    column("since", "date", ["2024-02-29", "1999-12-31"], "app_metadata.since"),
  ],
};

/** Users as Auth0 lets them be written. */
const written: ComparedTable = {
  key: "user_id",
  unique: "n",
  groups: ["blocked", "plan"],
  columns: [
    column("user_id", "text", [`${connection}|1`, `${connection}|7`, `${connection}|19`, "none"]),
    column("email", "text", ["1@example.com", "7@example.com"]),
    column("name", "text", [...names, "nobody"]),
    column("nickname", "text", ["red", "Red", "green blue", "gone"]),
    column("email_verified", "boolean", ["true", "false"]),
    column("blocked", "boolean", ["true", "false"]),
    column("user_metadata", "jsonb", documents),
    column("plan", "text", ["gold", "Gold", "é", ""], "app_metadata.plan"),
    column("n", "integer", ["0", "1", "7", "19", "100"], "app_metadata.n"),
  ],
};

const organizations: ComparedTable = {
  key: "name",
  unique: "n",
  groups: ["city", "tier"],
  columns: [
    column("name", "text", ["org-1", "org_7", "org-19", "Org-1", "org", ""]),
    column("display_name", "text", names),
    column("branding", "jsonb", ['{"logo_url": "https://example.com/é.png"}', "{}"]),
    column("city", "text", ["Rome", "rome", "Köln", "Oslo", "Paris"], "metadata.city"),
    column("tier", "integer", ["1", "2", "30", "4"], "metadata.tier"),
    column("n", "bigint", ["0", "1", "7", "19", "100"], "metadata.n"),
  ],
};

/** Rows of samples, some NULL where the service does not give a value itself; the first columns are made by hand. */
function makeRows(
  { columns }: ComparedTable,
  count: number,
  given: readonly string[],
  row: (n: number) => LocalRow,
): LocalRow[] {
  const random = new Random(11);
  return Array.from({ length: count }, (_, n) => {
    const made: Record<string, string> = { ...row(n) };
    for (const { name, type, samples } of columns)
      if (!(name in made) && (given.includes(name) || random.chance(0.85)))
        made[name] = random.pick(type === "text" ? samples.slice(0, -1) : samples);
    return made;
  });
}

/** A row as Auth0 keeps it: `texts` are columns whose values stay text, whatever their type in SQL. */
function item({ columns }: ComparedTable, row: LocalRow, texts: readonly string[] = []) {
  const item: Record<string, unknown> = {};
  for (const { name, type, options } of columns) {
    const text = row[name];
    if (text === undefined) continue;
    const isJson = type === "boolean" || type === "integer" || type === "bigint" || type === "jsonb";
    const value = isJson && !texts.includes(name) ? JSON.parse(text) : text;
    const [root = name, part] = options ? options.split("'")[1]!.split(".") : [];
    if (part) item[root] = { ...(item[root] as object | undefined), [part]: value };
    else item[root] = type.startsWith("timestamp") ? new Date(text).toISOString() : value;
  }
  return item;
}

const userRows = makeRows(users, 120, ["name", "nickname", "email_verified"], (n) => ({
  user_id: `auth0|${n}`,
  email: `${n}${emails[n % emails.length]}`,
  logins_count: String(n),
}));
const writtenRows = makeRows(written, 30, ["name", "nickname", "email_verified"], (n) => ({
  user_id: `${connection}|${n}`,
  email: `${n}@example.com`,
  n: String(n),
}));
const organizationRows = makeRows(organizations, 40, ["display_name"], (n) => ({
  name: `org${n % 2 ? "-" : "_"}${n}`,
  n: String(n),
}));

const openTenant = (seed: Pick<Auth0Options, "users" | "organizations">) =>
  startAuth0({
    ...credentials,
    rate: { limit: 1_000_000, windowSeconds: 1 },
    connections: [{ name: connection, strategy: connection }],
    ...seed,
  });

export const auth0: Comparable = {
  tables: { users: 0.5, written_users: 0.2, organizations: 0.3 },
  written: { written_users: 0.25, organizations: 0.25 },
  async open(): Promise<ComparedService> {
    const [read, changed] = await Promise.all([
      openTenant({ users: userRows.map((row) => item(users, row)) }),
      openTenant({
        users: writtenRows.map((row) => item(written, row)),
        // Values of their metadata are always text.
        organizations: organizationRows.map((row) => item(organizations, row, ["tier", "n"])),
      }),
    ]);
    const { tenant } = changed;
    const firstUsers = tenant.users.all();
    const firstOrganizations = [...tenant.organizations];
    const server = (name: string, { url }: Auth0Server) => `
      CREATE SERVER ${name} FOREIGN DATA WRAPPER auth0_fdw
      OPTIONS (domain '${url}', client_id '${credentials.clientId}', secret 'AUTH0');`;
    return {
      secrets: { AUTH0: credentials.clientSecret },
      servers: server("auth0_read", read) + server("auth0_written", changed),
      tables: [
        {
          name: "users",
          table: users,
          rows: userRows,
          foreign: "CREATE FOREIGN TABLE {t} ({columns}) SERVER auth0_read",
        },
        {
          name: "written_users",
          table: written,
          rows: writtenRows,
          foreign: `CREATE FOREIGN TABLE {t} ({columns}) SERVER auth0_written OPTIONS (connection '${connection}')`,
          changes: {
            settable: {
              name: "not null",
              nickname: "any",
              email_verified: "not null",
              blocked: "not null",
              user_metadata: "not null",
              plan: "any",
            },
            insert: (random, number) => ({
              user_id: `'${connection}|new${number}'`,
              email: `'new${number}@example.com'`,
              name: literal(random.pick(names)),
              nickname: literal(random.pick(["red", "blue"])),
              email_verified: random.pick(["true", "false"]),
              blocked: random.pick(["true", "false", "NULL"]),
              user_metadata: random.pick([`'{"a": {"b": 1}}'::jsonb`, "NULL"]),
              plan: random.pick(["'gold'", "''", "NULL"]),
              n: String(number),
            }),
            async fill() {
              for (const { user_id } of tenant.users.all()) tenant.deleteUser(String(user_id));
              for (const user of firstUsers) tenant.users.put({ ...user, user_id: String(user.user_id) });
            },
          },
        },
        {
          name: "organizations",
          table: organizations,
          rows: organizationRows,
          foreign:
            "CREATE FOREIGN TABLE {t} ({columns}) SERVER auth0_written OPTIONS (object 'organizations')",
          changes: {
            settable: { display_name: "not null", branding: "not null", city: "any", tier: "any" },
            insert: (random, number) => ({
              name: `'org-new-${number}'`,
              display_name: literal(random.pick(names)),
              branding: random.pick([`'{"colors": {"primary": "#fff"}}'::jsonb`, "NULL"]),
              city: random.pick(["'Rome'", "'é'", "NULL"]),
              n: String(number),
            }),
            async fill() {
              tenant.organizations.clear();
              for (const [id, organization] of firstOrganizations) {
                tenant.organizations.set(id, organization);
                tenant.members.set(id, new Map());
              }
            },
          },
        },
      ],
      async [Symbol.asyncDispose]() {
        await Promise.all([read.close(), changed.close()]);
      },
    };
  },
};
