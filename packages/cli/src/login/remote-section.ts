import {
  type ConfigFile,
  type FoundDrive,
  formatToken,
  type Provider,
  type Section,
  type Token,
} from "@overcoat/drives";
import { UsageError } from "../errors.ts";

/**
 * The remote of this name before the sign-in, if there is one.
 * @throws UsageError where it is of another type, ConfigError where the file cannot be read
 */
export async function sectionBefore(
  file: ConfigFile,
  name: string,
  { type }: Provider,
): Promise<Section | undefined> {
  const before = (await file.sections()).get(name);
  if (before?.type && before.type !== type)
    throw new UsageError(`${name}: in ${file.path} is of the type ${before.type}; give another NAME`);
  return before;
}

/** The keys with the client that is given, if any part of one is. A secret belongs to its client. */
export function withClient(options: Section, id: string | undefined, secret: string | undefined): Section {
  const { client_secret: kept, ...others } = options;
  const client_id = id || options.client_id;
  const client_secret = secret || (client_id === options.client_id ? kept : undefined);
  return { ...others, ...(client_id && { client_id }), ...(client_secret && { client_secret }) };
}

/** The keys that name a OneDrive by its id. @returns undefined where its type is not known */
export function driveKeys(id: string, found: readonly FoundDrive[], options: Section): Section | undefined {
  const drive_type = found.find((drive) => drive.id === id)?.type ?? options.drive_type;
  return drive_type ? { drive_id: id, drive_type } : undefined;
}

/** Keeps a sign-in as a remote in rclone's format. @throws ConfigError */
export async function keepSignIn(
  file: ConfigFile,
  name: string,
  { type }: Provider,
  options: Section,
  token: Token,
): Promise<void> {
  await file.setSection(name, { type, ...options, token: formatToken(token) });
}
