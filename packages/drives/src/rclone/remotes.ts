import type { ConfigFile, Environment } from "./config-file.ts";
import type { Section } from "./config-text.ts";
import { ConfigError } from "./errors.ts";

/** A remote as rclone has it configured. */
export interface Remote {
  readonly name: string;
  /** rclone's name of the kind of drive, such as `onedrive`, `drive` or `dropbox`. */
  readonly type: string;
  /** The keys of its section, those of the environment among them. */
  readonly options: Section;
  /** Those of the keys that the environment gives. */
  readonly overridden: readonly string[];
}

/** `NAME:PATH` in its two parts; undefined where the text is no name of a remote but of a folder. */
export function splitRemote(text: string): { name: string; path: string } | undefined {
  // As in rclone: no name begins with a space or a dash, or ends with a space.
  const match = /^([\w.+@](?:[\w.+@ -]*[\w.+@-])?):(.*)$/s.exec(text);
  if (!match || (process.platform === "win32" && match[1]!.length === 1)) return undefined;
  return { name: match[1]!, path: match[2]! };
}

/** All remotes of the file and the environment, in the order of the file. */
export async function listRemotes(file: ConfigFile, env: Environment = process.env): Promise<Remote[]> {
  const sections = await file.sections();
  const named = Object.keys(env).flatMap((variable) => /^RCLONE_CONFIG_(.+)_TYPE$/.exec(variable)?.[1] ?? []);
  const known = new Set([...sections.keys()].map((name) => name.toUpperCase()));
  const names = [
    ...sections.keys(),
    ...named.filter((name) => !known.has(name)).map((name) => name.toLowerCase()),
  ];
  return names
    .map((name) => withEnvironment(name, sections.get(name), env))
    .filter((one) => one !== undefined);
}

/**
 * The remote of this name.
 * @returns undefined where neither file nor environment has it
 * @throws ConfigError when it has no type
 */
export async function findRemote(
  file: ConfigFile,
  name: string,
  env: Environment = process.env,
): Promise<Remote | undefined> {
  const section = (await file.sections()).get(name);
  const remote = withEnvironment(name, section, env);
  if (section && !remote)
    throw new ConfigError(
      `the remote ${name}: in ${file.path} has no type: run "rclone config" or "overcoat login"`,
    );
  return remote;
}

/** `RCLONE_CONFIG_NAME_KEY` stands before `RCLONE_TYPE_KEY`, and that before the file. */
function withEnvironment(name: string, section: Section | undefined, env: Environment): Remote | undefined {
  const own = variables(`RCLONE_CONFIG_${name}_`, env);
  const type = own.type ?? section?.type;
  if (!type) return undefined;
  const given = { ...variables(`RCLONE_${type}_`, env), ...own };
  return { name, type, options: { ...section, ...given }, overridden: Object.keys(given) };
}

function variables(prefix: string, env: Environment): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [variable, value] of Object.entries(env)) {
    const key = variable.startsWith(prefix.toUpperCase()) ? variable.slice(prefix.length) : "";
    if (key !== "" && value) found[key.toLowerCase()] = value;
  }
  return found;
}
