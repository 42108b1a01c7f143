import type { Provider, Section, SignInMethod } from "@overcoat/drives";
import { UsageError } from "../errors.ts";
import type { Environment } from "../flags/resolve.ts";
import { withClient } from "./remote-section.ts";

/** What commander hands over. */
export interface LoginFlags {
  readonly config?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly method?: string;
  readonly driveId?: string;
  readonly site?: string;
  readonly set?: readonly string[];
  readonly redirectPort?: string;
  readonly open?: boolean;
}

/**
 * The keys of the remote before the sign-in: those that it had, those that flags and environment give.
 * @param before the section of that name, if there is one
 */
export function loginOptions(
  provider: Provider,
  flags: LoginFlags,
  env: Environment,
  before: Section | undefined,
): Section {
  const options: Record<string, string> = { ...before, type: provider.type };
  for (const text of flags.set ?? []) {
    const pair = /^([a-z0-9_]+)=(.*)$/s.exec(text);
    if (!pair) throw new UsageError(`--set: "${text}" must be KEY=VALUE, with a key of rclone.conf`);
    options[pair[1]!] = pair[2]!;
  }
  if (flags.driveId) options.drive_id = flags.driveId;
  const prefix = variablePrefix(provider);
  const id = flags.clientId || env[`${prefix}_CLIENT_ID`];
  return withClient(options, id, flags.clientSecret || env[`${prefix}_CLIENT_SECRET`]);
}

/** Of the variables that give the client: `OVERCOAT_ONEDRIVE_CLIENT_ID` and so on. */
export const variablePrefix = ({ command }: Provider) =>
  `OVERCOAT_${command.toUpperCase().replaceAll("-", "_")}`;

/** @throws UsageError where the provider does not have it */
export function methodOf(provider: Provider, given: string | undefined): SignInMethod {
  const { methods, title } = provider;
  const method = given === undefined ? methods[0] : methods.find((one) => one === given);
  if (!method)
    throw new UsageError(`--method: ${title} has ${methods.join(" and ")} only, and not "${given}"`);
  return method;
}
