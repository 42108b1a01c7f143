import type { Command } from "commander";
import { collect } from "../flags/collect.ts";
import { addLogFlags } from "../flags/options.ts";
import type { LinkFlags } from "./link.ts";
import type { PrintFlags } from "./print.ts";
import type { SqlFlags } from "./settings.ts";

/** Adds `serve sql` and the commands of `sql`. */
export function addSqlCommands(program: Command, serve: Command): void {
  const server = serve
    .command("sql")
    .description(
      "answer what foreign tables of redis_fdw, auth0_fdw and s3_fdw ask, as a PostgreSQL server does",
    )
    .exitOverride()
    .helpOption("-h, --help", "print this help")
    .option(
      "--addr <[HOST]:PORT>",
      "listen here, repeatable; beyond this machine with TLS only (default 127.0.0.1:54330)",
      collect,
    )
    .option("--login <USER,PASSWORD>", "who may connect, repeatable (OVERCOAT_SQL_LOGIN)", collect)
    .option(
      "--allow <ADDRESS>",
      "what foreign servers may point to, repeatable: host[:port], *.domain, 10.0.0.0/8 (default all but link-local addresses and clouds' metadata services)",
      collect,
    )
    .option("--cert <FILE>", "TLS certificate, PEM, with its CA certificates")
    .option("--key <FILE>", "TLS private key, PEM")
    .option("--data <DIR>", "files of passing work (default ~/.local/share/overcoat/sql)")
    .option("--config <FILE>", "configuration (default ./overcoat.config.ts where there is one)")
    .action(async (flags: SqlFlags) => {
      const { serveSql } = await import("../commands/serve-sql.ts");
      await serveSql(flags);
    })
    .addHelpText("after", serveHelp);
  addLogFlags(server);

  const sql = program.command("sql").description("bring the wrappers into a PostgreSQL").exitOverride();
  const install = sql
    .command("install")
    .description(
      "install Overcoat into a database of a PostgreSQL from 14, as a superuser; may be done again",
    )
    .action(async (flags: LinkFlags) => {
      const { installInto } = await import("./link.ts");
      await installInto(flags);
    });
  const relink = sql
    .command("relink")
    .description("tell a database where its SQL server is now, and with which login")
    .action(async (flags: LinkFlags) => {
      const { relinkOf } = await import("./link.ts");
      await relinkOf(flags);
    });
  for (const command of [install, relink])
    command.requiredOption("--url <URL>", "the database, as postgres://user:password@host:port/database");
  const print = sql
    .command("print")
    .description("print a script for a database that cannot be installed into")
    .requiredOption(
      "--target <TARGET>",
      "supabase: all of it, by a role that may make foreign data wrappers and event triggers; plain: stock postgres_fdw and IMPORT FOREIGN SCHEMA",
    )
    .option("--source <NAME>", "plain: the service, such as redis", collect)
    .option(
      "--option <NAME=VALUE>",
      "plain: an option of the server, such as url=redis://…; repeatable",
      collect,
    )
    .action(async (flags: PrintFlags) => {
      const { printScript } = await import("./print.ts");
      await printScript(flags);
    });
  for (const command of [install, relink, print])
    command
      .exitOverride()
      .helpOption("-h, --help", "print this help")
      .option(
        "--sql-addr <HOST:PORT>",
        "the SQL server, as the database reaches it (default 127.0.0.1:54330)",
      )
      .option("--login <USER,PASSWORD>", "a login of the SQL server (OVERCOAT_SQL_LOGIN)")
      .option(
        "--sslmode <MODE>",
        "as in libpq (default verify-full where the SQL server is on another machine)",
      )
      .option("--sslrootcert <FILE>", "certificates of authorities, or `system`, on the database's machine");
}

const serveHelp = `
The environment gives the secrets that foreign servers name: with OVERCOAT_SECRET_AUTH0=… a server's option
\`secret 'AUTH0'\` stands for it, at the addresses in OVERCOAT_SECRET_AUTH0_ADDRESSES (host[:port], by commas), or on
this machine only. overcoat.config.ts has the same under \`sql\`. Flags win over the environment, and that over
overcoat.config.ts.

Examples:
  overcoat serve sql --login reader,SECRET
  overcoat serve sql --addr :54330 --cert tls.pem --key tls.key --login reader,SECRET --allow redis.internal:6379`;
