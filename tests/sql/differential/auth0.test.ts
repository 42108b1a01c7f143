import { type Auth0Server, startAuth0 } from "@overcoat/simulators";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type Stack, startStack } from "../stack.ts";
import { Random } from "./random.ts";
import { expectSameAnswers } from "./suites.ts";
import type { ComparedTable } from "./table.ts";
import { type LocalRow, openTwice } from "./twice.ts";

const minutes = 60_000;
const credentials = { clientId: "test-client", clientSecret: "test-secret-0123456789" };
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

const users: ComparedTable = {
  key: "user_id",
  unique: "logins_count",
  groups: ["blocked", "nickname"],
  columns: [
    {
      name: "user_id",
      type: "text",
      samples: ["auth0|1", "auth0|77", "auth0|119", "auth0|", "AUTH0|1", "none"],
    },
    { name: "email", type: "text", samples: emails.map((email, i) => `${i + 5}${email}`) },
    { name: "name", type: "text", samples: [...names, "nobody"] },
    { name: "nickname", type: "text", samples: ["red", "Red", "green blue", "gone"] },
    { name: "email_verified", type: "boolean", samples: ["true", "false"] },
    { name: "blocked", type: "boolean", samples: ["true", "false"] },
    { name: "logins_count", type: "bigint", samples: ["0", "1", "13", "77", "119", "1000"] },
    { name: "last_login", type: "timestamp with time zone", samples: times },
    { name: "user_metadata", type: "jsonb", samples: documents },
  ],
};

/** Auth0 gives every user these. */
const given = ["name", "nickname", "email_verified"];

function makeUsers(count: number): LocalRow[] {
  const random = new Random(11);
  return Array.from({ length: count }, (_, n) => {
    const user: Record<string, string> = {
      user_id: `auth0|${n}`,
      email: `${n}${emails[n % emails.length]}`,
      logins_count: String(n),
    };
    for (const { name, samples } of users.columns)
      if (!(name in user) && (given.includes(name) || random.chance(0.85)))
        user[name] = random.pick(name === "name" || name === "nickname" ? samples.slice(0, -1) : samples);
    return user;
  });
}

const parsed = ["email_verified", "blocked", "logins_count", "user_metadata"];

/** A user as Auth0 keeps it. */
function item(row: LocalRow) {
  return Object.fromEntries(
    Object.entries(row).map(([name, text]) => {
      if (parsed.includes(name)) return [name, JSON.parse(text)];
      return [name, name === "last_login" ? new Date(text).toISOString() : text];
    }),
  );
}

describe("users of Auth0 and the same rows in a table", () => {
  const rows = makeUsers(120);
  let auth0: Auth0Server;
  let stack: Stack;

  beforeAll(async () => {
    auth0 = await startAuth0({
      ...credentials,
      rate: { limit: 1_000_000, windowSeconds: 1 },
      users: rows.map(item),
    });
    stack = await startStack({ secrets: { AUTH0: credentials.clientSecret } });
  });
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await auth0?.close();
  });

  const foreign = () => `
    CREATE SERVER auth0_server FOREIGN DATA WRAPPER auth0_fdw
      OPTIONS (domain '${auth0.url}', client_id '${credentials.clientId}', secret 'AUTH0');
    CREATE FOREIGN TABLE t ({columns}) SERVER auth0_server`;

  test(
    "give the same answers",
    async () => {
      const client = await openTwice(stack, { table: users, rows, foreign: foreign() });
      await expectSameAnswers(client, users, { seed: 6, count: 50 });
    },
    10 * minutes,
  );
});
