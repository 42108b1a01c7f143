import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Source } from "@overcoat/sources";
import { type ExtensionFile, extensionFiles, extensionNames, installScript } from "@overcoat/sql";
import pg from "pg";
import { ClusterError, codeOf } from "../cluster/errors.ts";
import { installed, onDatabase, relink, updateExtensions } from "./database.ts";
import { writeExtensionFiles } from "./files.ts";
import type { LinkSettings } from "./link-settings.ts";

const oldest = 140000;

export interface Installed {
  /** `extension`: wrappers are made by CREATE EXTENSION; `script`: they are there. */
  readonly as: "extension" | "script";
  /** The folder of the extension files. */
  readonly folder?: string;
  readonly warnings: readonly string[];
}

/**
 * Installs Overcoat into a database of a PostgreSQL from 14: as extensions where the server's extension folder is
 * on this machine and can be written, else the same SQL as a script. It may be done again.
 * @throws ClusterError when the database is none that it can be installed into
 */
export async function install(
  url: string,
  sources: readonly Source[],
  settings: LinkSettings,
): Promise<Installed> {
  const { result, warnings } = await onDatabase(url, async (client) => {
    await checkServer(client);
    await client.query("SET client_min_messages = warning");
    const before = await installed(client);
    const files = extensionFiles(sources);
    const folder = before === "script" ? undefined : await placeFiles(client, files);
    if (folder !== undefined || before === "extension") {
      await client.query("CREATE EXTENSION IF NOT EXISTS overcoat");
      await updateExtensions(client, extensionNames(files));
    } else await client.query(installScript(sources, "library"));
    await relink(client, settings);
    return { as: folder !== undefined || before === "extension" ? "extension" : "script", folder } as const;
  });
  return { ...result, warnings };
}

async function checkServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
       current_setting('is_superuser') = 'on' AS superuser, current_user AS name`,
  );
  const { number, version, superuser, name } = rows[0];
  if (number < oldest) throw new ClusterError(`PostgreSQL ${version} is too old: Overcoat needs 14 or newer`);
  if (!superuser)
    throw new ClusterError(
      `${name} is no superuser: connect as one, or use \`overcoat sql print --target supabase\` where there is none`,
    );
}

/** Puts the files where the server finds them. @returns the folder; undefined where that is not possible */
async function placeFiles(client: pg.Client, files: readonly ExtensionFile[]): Promise<string | undefined> {
  const { rows } = await client.query("SELECT setting FROM pg_config() WHERE name = 'SHAREDIR'");
  const folder = join(rows[0].setting, "extension");
  // The same path may be here without being the server's, which is then on another machine.
  const probe = `overcoat_${randomBytes(8).toString("hex")}`;
  const probeFile = { name: `${probe}.control`, text: "default_version = '1.0'\n" };
  try {
    await writeExtensionFiles(folder, [probeFile]);
    const found = await client.query("SELECT FROM pg_available_extensions WHERE name = $1", [probe]);
    if (found.rowCount !== 1) return undefined;
    await writeExtensionFiles(folder, files);
    return folder;
  } catch (error) {
    // The folder is not here, or not ours to write.
    if (codeOf(error) === undefined || error instanceof pg.DatabaseError) throw error;
    return undefined;
  } finally {
    await rm(join(folder, probeFile.name), { force: true }).catch(() => {});
  }
}

/**
 * Tells a database that has Overcoat where its SQL server is now.
 * @returns warnings of the linker
 * @throws ClusterError when Overcoat is not installed there
 */
export async function relinkDatabase(url: string, settings: LinkSettings): Promise<readonly string[]> {
  const { warnings } = await onDatabase(url, async (client) => {
    if (!(await installed(client)))
      throw new ClusterError("Overcoat is not installed in this database: run `overcoat sql install` first");
    await relink(client, settings);
  });
  return warnings;
}
