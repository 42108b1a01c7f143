import { ConfigFile, listRemotes } from "@overcoat/drives";
import { RunError, UsageError } from "../errors.ts";
import { describeRemote } from "../remotes/describe-remote.ts";
import { openLook } from "../remotes/look.ts";
import { describePlace, resolvePlace } from "../remotes/place.ts";
import { loadRemotes, rcloneConfigFile } from "../remotes/rclone-remotes.ts";

/** `overcoat remotes`. */
export async function printRemotes({ config, json }: { config?: string; json?: boolean }): Promise<void> {
  const file = configFile(config);
  const all = (await listRemotes(file).catch(asRunError)).map(describeRemote);
  if (json) {
    process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
    return;
  }
  if (all.length === 0) {
    process.stdout.write(`${file.path} has no remotes: "overcoat login" and "rclone config" make them\n`);
    return;
  }
  const width = Math.max(...all.map(({ name }) => name.length)) + 2;
  const kind = Math.max(...all.map(({ description }) => description.length)) + 1;
  const states = new Map([
    [true, "signed in"],
    [false, "not signed in"],
    [undefined, ""],
  ]);
  for (const { name, description, signedIn } of all)
    process.stdout.write(
      `${`${name}:`.padEnd(width)}${description.padEnd(kind)} ${states.get(signedIn)}`.trimEnd().concat("\n"),
    );
}

/** `overcoat remotes test NAME`. @throws RunError when it cannot be reached */
export async function testRemote(text: string, { config }: { config?: string }): Promise<void> {
  const named = text.includes(":") ? text : `${text}:`;
  const place = resolvePlace(named, {}, await loadRemotes(config, process.env));
  const look = await openLook(place);
  const folders = await look.folders().finally(() => look.close());
  const shown = folders.slice(0, 10).map((folder) => `  ${folder}/\n`);
  const more = folders.length > 10 ? `  and ${folders.length - 10} more\n` : "";
  process.stdout.write(
    `${describePlace(place)} is reached: ${look.description}, folders at the top: ${folders.length}\n${shown.join("")}${more}`,
  );
}

/** `overcoat remotes remove NAME`. */
export async function removeRemote(text: string, { config }: { config?: string }): Promise<void> {
  const name = text.replace(/:$/, "");
  const file = configFile(config);
  if (!(await file.removeSection(name).catch(asRunError)))
    throw new RunError(`${file.path} has no remote ${name}:`);
  process.stdout.write(`${name}: is removed from ${file.path}\n`);
}

function configFile(given: string | undefined): ConfigFile {
  const path = rcloneConfigFile(given, process.env);
  if (path === undefined) throw new UsageError("--config: remotes are in a file");
  return new ConfigFile(path);
}

function asRunError(error: Error): never {
  throw new RunError(error.message, { cause: error });
}
