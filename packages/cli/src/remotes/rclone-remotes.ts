import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { ConfigFile, defaultConfigFile, listRemotes, type Remote } from "@overcoat/drives";
import { isOvercoatConfig } from "../config.ts";
import { RunError } from "../errors.ts";
import type { Environment } from "../flags/resolve.ts";

/** The remotes that rclone knows. A file that cannot be read is an error only once a remote is looked for. */
export interface RcloneRemotes {
  /** Undefined where no file is to be read. */
  readonly file: string | undefined;
  readonly names: readonly string[];
  /** @throws RunError where the file cannot be read */
  find(name: string): Remote | undefined;
}

export const noRemotes: RcloneRemotes = { file: undefined, names: [], find: () => undefined };

/**
 * The rclone.conf to use: what `--config` names, else rclone's own.
 * @returns undefined where `--config` says that there is none
 */
export function rcloneConfigFile(given: string | undefined, env: Environment): string | undefined {
  if (given === undefined || isOvercoatConfig(given)) return defaultConfigFile(env);
  return given === "" || given === "/dev/null" ? undefined : resolve(given);
}

/** Reads them once. */
export async function loadRemotes(given: string | undefined, env: Environment): Promise<RcloneRemotes> {
  const named = rcloneConfigFile(given, env);
  const file = named && (await realpath(named).catch(() => named));
  try {
    const all = await listRemotes(new ConfigFile(file ?? "/dev/null"), env);
    const byName = new Map(all.map((remote) => [remote.name, remote]));
    return { file, names: [...byName.keys()], find: (name) => byName.get(name) };
  } catch (error) {
    return {
      file,
      names: [],
      find() {
        throw new RunError((error as Error).message, { cause: error });
      },
    };
  }
}
