import { UsageError } from "../errors.ts";
import type { Environment, Flags } from "./resolve.ts";
import { parseBoolean } from "./values.ts";

const repeated = ["addr", "authKey", "responseHeader"] as const;
const switches = ["forcePathStyle", "readOnly", "useJsonLog"] as const;
const texts = [
  "allowOrigin",
  "baseurl",
  "cert",
  "clientCa",
  "dirPerms",
  "filePerms",
  "key",
  "logFile",
  "logLevel",
  "maxHeaderBytes",
  "minTlsVersion",
  "pass",
  "pollInterval",
  "serverReadTimeout",
  "serverWriteTimeout",
  "umask",
  "user",
  "vfsCacheMaxSize",
] as const;

/** What rclone takes from the environment as well: `--auth-key` from `RCLONE_AUTH_KEY`, and so on. */
export function rcloneVariables(env: Environment): Flags {
  const flags: Flags = {};
  const read = (name: string) => env[variable(name)] || undefined;
  for (const name of repeated) {
    const value = read(name);
    if (value !== undefined) flags[name] = parseCsv(value, variable(name));
  }
  for (const name of switches) {
    const value = read(name);
    if (value !== undefined) flags[name] = parseBoolean(value, variable(name));
  }
  for (const name of texts) {
    const value = read(name);
    if (value !== undefined) flags[name] = value;
  }
  return flags;
}

const variable = (name: string) => `RCLONE_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

/** One line of CSV; a field with a comma is in double quotes: `"user,pass","user2,pass2"`. */
function parseCsv(text: string, name: string): string[] {
  if (!/^(?:"(?:[^"]|"")*"|[^",]*)(?:,(?:"(?:[^"]|"")*"|[^",]*))*$/.test(text))
    throw new UsageError(`${name} is no list: put fields that hold commas in double quotes`);
  return [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!,
  );
}
