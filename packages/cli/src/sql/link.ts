import { install, type LinkSettings, relinkDatabase } from "@overcoat/postgres";
import { RunError, UsageError } from "../errors.ts";
import type { Environment } from "../flags/resolve.ts";
import { isLoopback, parseAddress } from "../flags/values.ts";
import { asRunError } from "./errors.ts";
import { defaultSqlPort, parseLogin } from "./settings.ts";
import { sources } from "./sources.ts";

/** What commander hands over: text as typed. */
export interface LinkFlags {
  url: string;
  sqlAddr?: string;
  login?: string;
  sslmode?: string;
  sslrootcert?: string;
}

/** `overcoat sql install` */
export async function installInto(flags: LinkFlags): Promise<void> {
  const { as, folder, warnings } = await onDatabase(flags, (url, settings) =>
    install(url, sources, settings),
  );
  warn(warnings);
  const names = sources.map(({ name }) => name);
  process.stdout.write(
    as === "extension"
      ? `Installed${folder === undefined ? "" : ` into ${folder}`}. In this database now:\n\n${names
          .map((name) => `CREATE EXTENSION IF NOT EXISTS ${name}_wrapper;\n`)
          .join("")}`
      : `Installed as a script, since the server's extension folder is out of reach: ${names
          .map((name) => `${name}_fdw`)
          .join(", ")} are there without CREATE EXTENSION.\n`,
  );
}

/** `overcoat sql relink` */
export async function relinkOf(flags: LinkFlags): Promise<void> {
  warn(await onDatabase(flags, relinkDatabase));
  process.stdout.write("Linked anew.\n");
}

async function onDatabase<T>(
  flags: LinkFlags,
  work: (url: string, settings: LinkSettings) => Promise<T>,
): Promise<T> {
  if (!/^postgres(ql)?:\/\//.test(flags.url) || !URL.canParse(flags.url))
    throw new UsageError("--url: must be of the form postgres://user:password@host:port/database");
  const settings = resolveLink(flags, process.env);
  if (!settings)
    throw new UsageError(
      "no login of the SQL server is given: give --login USER,PASSWORD or set OVERCOAT_SQL_LOGIN",
    );
  return await work(flags.url, settings).catch((error) => {
    if (error.code === undefined) asRunError(error);
    throw new RunError(`the database says: ${error.message}`, { cause: error });
  });
}

/** Where the SQL server is and a login for it; undefined without a login. */
export function resolveLink(flags: Omit<LinkFlags, "url">, env: Environment): LinkSettings | undefined {
  const text = flags.login ?? env.OVERCOAT_SQL_LOGIN;
  if (!text) return undefined;
  const { host = "127.0.0.1", port } =
    flags.sqlAddr === undefined ? { port: defaultSqlPort } : parseAddress(flags.sqlAddr, "--sql-addr");
  const sslmode = flags.sslmode ?? (isLoopback({ host, port }) ? undefined : "verify-full");
  return {
    host,
    port,
    ...parseLogin(text, flags.login === undefined ? "OVERCOAT_SQL_LOGIN" : "--login"),
    ...(sslmode !== undefined && { sslmode }),
    ...(flags.sslrootcert !== undefined && { sslrootcert: flags.sslrootcert }),
  };
}

function warn(warnings: readonly string[]): void {
  for (const warning of warnings) process.stderr.write(`overcoat: ${warning}\n`);
}
