import { type ExtensionFile, extensionNames } from "@overcoat/sql";
import type { Cluster } from "../cluster/cluster.ts";
import { onDatabase, relink, updateExtensions } from "./database.ts";
import { writeExtensionFiles } from "./files.ts";
import type { LinkSettings } from "./link-settings.ts";

const essential = ["template1", "postgres"];

/**
 * Readies all databases of a cluster of our own, and those that will be made in it: `CREATE EXTENSION
 * redis_wrapper` needs nothing before it, and what was linked at an earlier start is linked anew.
 * @returns warnings of the linker, by database
 */
export async function prepareCluster(
  cluster: Cluster,
  files: readonly ExtensionFile[],
  settings: LinkSettings,
): Promise<readonly string[]> {
  await writeExtensionFiles(cluster.extensions, files);
  const names = extensionNames(files);
  const { result: databases } = await onDatabase(cluster.url, async (client) => {
    const { rows } = await client.query(
      "SELECT datname FROM pg_database WHERE datallowconn ORDER BY datname = 'template1' DESC, datname",
    );
    return rows.map(({ datname }) => datname as string);
  });
  const told: string[] = [];
  for (const database of databases) {
    const url = new URL(cluster.url);
    url.pathname = `/${encodeURIComponent(database)}`;
    const prepared = onDatabase(url.href, async (client) => {
      await client.query("SET client_min_messages = warning");
      await client.query("CREATE EXTENSION IF NOT EXISTS overcoat");
      await updateExtensions(client, names);
      await relink(client, settings);
    });
    const { warnings } = await prepared.catch((error: Error) => {
      // One database that somebody made unfit keeps nobody from the others.
      if (essential.includes(database)) throw error;
      return { warnings: [`its wrappers are not ready: ${error.message}`] };
    });
    told.push(...warnings.map((warning) => `database ${database}: ${warning}`));
  }
  return told;
}
