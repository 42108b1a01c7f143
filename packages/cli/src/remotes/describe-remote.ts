import { parseToken, providerOf, type Remote, servedTypes } from "@overcoat/drives";

/** What is told of a remote without asking its drive. */
export interface DescribedRemote {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  /** Undefined where a sign-in is not needed, or not Overcoat's. */
  readonly signedIn: boolean | undefined;
}

export function describeRemote({ name, type, options }: Remote): DescribedRemote {
  if (type === "alias") return { name, type, description: `alias of ${options.remote}`, signedIn: undefined };
  if (type === "local") return { name, type, description: "folders of this machine", signedIn: undefined };
  if (!servedTypes.includes(type))
    return { name, type, description: `${type}, not served by Overcoat`, signedIn: undefined };
  const itself = options.service_account_file || options.service_account_credentials;
  const signedIn =
    Boolean(itself) || options.client_credentials === "true" || parseToken(options.token) !== undefined;
  return { name, type, description: providerOf({ name, type }).title, signedIn };
}
