import { randomBytes } from "node:crypto";
import postgres, { type Sql } from "postgres";
import { connections } from "./connections.ts";
import { grantReading, readerRole } from "./reader-role.ts";

interface Databases {
  readonly url: string;
  readonly owner: Sql;
  /** URL of the reading role, whose password is new in each process. */
  readonly reader: Promise<string>;
}

/** One for the process: Next.js loads modules several times. */
const kept = globalThis as { overcoatDatabases?: Databases };

/**
 * As the owner of the database, who may do everything: for statements that the console's own pages are made of, never
 * for text that a reader typed.
 */
export const ownerDatabase = async (): Promise<Sql> => (await databases()).owner;

/**
 * The URL of the database for a role that can only read, and sees all tables but not the secrets of foreign servers:
 * for what readers type. Tables made since the last call can be read too.
 */
export async function readerUrl(): Promise<string> {
  const { owner, reader } = await databases();
  const url = await reader;
  await grantReading(owner);
  return url;
}

async function databases(): Promise<Databases> {
  const { url } = (await connections()).postgres;
  const before = kept.overcoatDatabases;
  if (before?.url === url) return before;
  if (before) void before.owner.end({ timeout: 5 });
  const owner = open(url);
  const reader = prepareReader(owner, url);
  const databases = { url, owner, reader };
  kept.overcoatDatabases = databases;
  reader.catch(() => {
    if (kept.overcoatDatabases === databases) delete kept.overcoatDatabases;
  });
  return databases;
}

const open = (url: string) =>
  postgres(url, {
    max: 6,
    connect_timeout: 10,
    idle_timeout: 60,
    fetch_types: false,
    connection: { application_name: "overcoat-console", statement_timeout: 60_000 },
    onnotice: () => {},
  });

async function prepareReader(owner: Sql, url: string): Promise<string> {
  const password = randomBytes(24).toString("base64url");
  await owner.begin(async (sql) => {
    await sql`SELECT pg_advisory_xact_lock(hashtext(${readerRole}))`;
    const [found] = await sql`SELECT FROM pg_roles WHERE rolname = ${readerRole}`;
    const attributes =
      "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 20";
    const verb = found ? "ALTER" : "CREATE";
    await sql.unsafe(`${verb} ROLE ${readerRole} ${attributes} PASSWORD '${password}'`);
    await sql.unsafe(`ALTER ROLE ${readerRole} SET default_transaction_read_only = on`);
  });
  const login = new URL(url);
  login.username = readerRole;
  login.password = password;
  return login.href;
}

/** Ends all connections of this process. */
export async function closeDatabases(): Promise<void> {
  const { overcoatDatabases } = kept;
  delete kept.overcoatDatabases;
  await overcoatDatabases?.owner.end({ timeout: 5 });
}
