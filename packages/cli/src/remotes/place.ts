import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Remote, splitRemote } from "@overcoat/drives";
import type { ParsedConfig } from "../config.ts";
import { RunError, UsageError } from "../errors.ts";
import type { RcloneRemotes } from "./rclone-remotes.ts";

/** A folder of this machine. */
export interface FolderPlace {
  readonly kind: "folder";
  /** Its real path. */
  readonly root: string;
}

/** A drive behind a vendor's API, or a folder of it. */
export interface DrivePlace {
  readonly kind: "drive";
  readonly remote: Remote;
  /** Segments joined by slashes; empty for the whole drive. Only of a Dropbox one in front has a meaning. */
  readonly path: string;
  /** The rclone.conf that has it; undefined where overcoat.config.ts does. */
  readonly file?: string;
}

/** What is served, in plain JSON so that it can be sent to workers. */
export type Place = FolderPlace | DrivePlace;

/** For people. */
export const describePlace = (place: Place) =>
  place.kind === "folder" ? place.root : `${place.remote.name}:${place.path}`;

/** Aliases of aliases. */
const deepest = 16;

/**
 * The place that `text` names: a folder, or `name:path` of a remote in the configuration or rclone's.
 * @throws UsageError where there is no such remote, RunError where the folder cannot be read
 */
export function resolvePlace(text: string, config: ParsedConfig, rclone: RcloneRemotes, depth = 0): Place {
  const named = splitRemote(text);
  if (!named) return folderPlace(text);
  const { name, path } = named;
  if (depth > deepest) throw new UsageError(`${text}: the remotes lead to one another in a circle`);
  const within = (base: string) => resolvePlace(inside(base, path, text), config, rclone, depth + 1);
  const known = config.remotes && Object.hasOwn(config.remotes, name) ? config.remotes[name] : undefined;
  if (typeof known === "string") return within(known);
  if (known && isFolder(known)) return within(known.path);
  if (known) {
    const { type, ...keys } = known;
    const options = Object.fromEntries(Object.entries(keys).map(([key, value]) => [key, String(value)]));
    const remote = { name, type: type === "google-drive" ? "drive" : type, options, overridden: [] };
    return drivePlace(remote, path, undefined, text);
  }
  const remote = rclone.find(name);
  if (remote?.type === "alias") return within(remote.options.remote ?? "");
  if (remote?.type === "local" || (!remote && name === "local")) return folderPlace(path || ".");
  if (remote) return drivePlace(remote, path, rclone.file, text);
  const others = ["local", ...Object.keys(config.remotes ?? {}), ...rclone.names].map((one) => `${one}:`);
  throw new UsageError(
    `there is no remote ${name}: here. There are ${[...new Set(others)].join(", ")} and plain folders such as /srv/nas. "overcoat login" and "rclone config" make remotes, in ${rclone.file ?? "rclone.conf"}; \`remotes\` in overcoat.config.ts names folders and drives too`,
  );
}

type Named = Exclude<NonNullable<ParsedConfig["remotes"]>[string], string>;
type NamedFolder = Extract<Named, { type?: "folder" }>;

const isFolder = (named: Named): named is NamedFolder => named.type === undefined || named.type === "folder";

function drivePlace(remote: Remote, path: string, file: string | undefined, text: string): DrivePlace {
  const segments = path.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (segments.includes("..")) throw new UsageError(`${text}: the path must stay inside the remote`);
  // As with rclone, a slash in front leads to the root of a team's space.
  const root = remote.type === "dropbox" && path.startsWith("/") ? "/" : "";
  return { kind: "drive", remote, path: `${root}${segments.join("/")}`, file };
}

/** `path` below what a remote stands for: a folder, or again `name:path`. */
function inside(base: string, path: string, text: string): string {
  if (path.split("/").includes("..")) throw new UsageError(`${text}: the path must stay inside the remote`);
  if (!splitRemote(base)) return join(base, path);
  return path === "" || base.endsWith(":") || base.endsWith("/") ? `${base}${path}` : `${base}/${path}`;
}

function folderPlace(folder: string): FolderPlace {
  let real: string;
  try {
    real = realpathSync(resolve(folder));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new RunError(
      `${resolve(folder)} ${missing ? "does not exist" : `cannot be reached: ${(error as Error).message}`}`,
    );
  }
  if (!statSync(real).isDirectory()) throw new RunError(`${real} is not a folder`);
  try {
    accessSync(real, constants.R_OK | constants.X_OK);
  } catch {
    throw new RunError(`no permission to read ${real}; run as a user that may`);
  }
  return { kind: "folder", root: real };
}

/** What tells one place from all others, for what is kept of it. */
export function identityOf(place: Place): string {
  if (place.kind === "folder") return place.root;
  const { remote, path, file } = place;
  const { drive_id, team_drive, root_folder_id, root_namespace } = remote.options;
  const where = { drive_id, team_drive, root_folder_id, root_namespace };
  return JSON.stringify([remote.type, remote.name, path, file, where]);
}
