import { type FoundDrive, findOneDrives, type Section, type Token } from "@overcoat/drives";
import { UsageError } from "../errors.ts";
import { askChoice, askText, isInteractive, say } from "./ask.ts";
import type { LoginFlags } from "./options.ts";
import { driveKeys } from "./remote-section.ts";

/**
 * Which OneDrive a remote is, in rclone's keys: the one that flags name or that it was before, else one that the user
 * chooses, or the user's main one where nobody can be asked.
 */
export async function chooseDrive(options: Section, token: Token, flags: LoginFlags): Promise<Section> {
  const { site } = flags;
  const found = await findOneDrives(options, token, site);
  const wanted = flags.driveId ?? (site === undefined ? options.drive_id : undefined);
  if (wanted) {
    const keys = driveKeys(wanted, found, options);
    if (!keys)
      throw new UsageError(
        `--drive-id: ${wanted} is none of your own drives: give --site or --set drive_type=documentLibrary too`,
      );
    return keys;
  }
  const drive = isInteractive() ? await askDrive(options, token, found, site) : found[0]!;
  say(`The drive is ${drive.name}`);
  for (const { id, name } of isInteractive() ? [] : found.slice(1)) say(`Or take --drive-id ${id}: ${name}`);
  return { drive_id: drive.id, drive_type: drive.type };
}

async function askDrive(
  options: Section,
  token: Token,
  found: readonly FoundDrive[],
  site: string | undefined,
): Promise<FoundDrive> {
  if (site !== undefined && found.length === 1) return found[0]!;
  const drives = found.map((value) => ({ value, label: value.name }));
  const other = { value: undefined, label: "One of another SharePoint site" };
  const chosen = await askChoice<FoundDrive | undefined>("Which drive is it to be?", [...drives, other]);
  if (chosen) return chosen;
  const named = await askText("The address of the site, or words of its name");
  return askDrive(options, token, await findOneDrives(options, token, named), named);
}
