import { dropbox, readOptions as readDropbox } from "../dropbox/index.ts";
import { googleDrive, readOptions as readGoogleDrive } from "../google-drive/index.ts";
import { dropboxProvider, googleDriveProvider, oneDriveProvider, type Provider } from "../oauth/providers.ts";
import { oneDrive, readOptions as readOneDrive } from "../onedrive/index.ts";
import type { CallObserver } from "../remote/http/index.ts";
import type { AccessTokens } from "../remote/tokens.ts";
import type { Vendor } from "../remote/vendor.ts";
import type { Section } from "./config-text.ts";
import { ConfigError } from "./errors.ts";
import type { Remote } from "./remotes.ts";
import { openTokens, type TokensOptions } from "./tokens.ts";

interface Kind {
  readonly provider: Provider;
  open(options: Section, parts: VendorParts): Vendor;
}

interface VendorParts {
  readonly tokens: AccessTokens;
  /** Below the root of the remote. */
  readonly folder: string | undefined;
  readonly http: { readonly observer?: CallObserver };
}

/** By rclone's name of the type. */
const kinds: Readonly<Record<string, Kind>> = {
  onedrive: {
    provider: oneDriveProvider,
    open: (options, parts) => oneDrive({ ...readOneDrive(options), ...parts }),
  },
  drive: {
    provider: googleDriveProvider,
    open: (options, parts) => googleDrive({ ...readGoogleDrive(options), ...parts }),
  },
  dropbox: {
    provider: dropboxProvider,
    open: (options, parts) => dropbox({ ...readDropbox(options), ...parts }),
  },
};

/** rclone's names of the types of drives that are served. */
export const servedTypes: readonly string[] = Object.keys(kinds);

/** How people sign in to a drive of this type. @throws ConfigError when it is none that is served */
export function providerOf({ name, type }: Pick<Remote, "name" | "type">): Provider {
  return kindOf(name, type).provider;
}

export interface OpenVendorOptions extends TokensOptions {
  readonly observer?: CallObserver;
}

/**
 * What a remote leads to.
 * @param folder below its root, segments joined by slashes
 * @throws ConfigError when its configuration is not right, DriveError `Unauthenticated` when it is not signed in
 */
export async function openVendor(
  remote: Remote,
  folder: string | undefined,
  options: OpenVendorOptions,
): Promise<Vendor> {
  const { provider, open } = kindOf(remote.name, remote.type);
  const tokens = await openTokens(remote, provider, options);
  try {
    return open(remote.options, {
      tokens,
      folder: folder || undefined,
      http: { observer: options.observer },
    });
  } catch (error) {
    const where = options.file ? ` in ${options.file.path}` : "";
    throw new ConfigError(`${remote.name}:${where}: ${(error as Error).message}`);
  }
}

function kindOf(name: string, type: string): Kind {
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (kind) return kind;
  const others = [...servedTypes, "local", "alias"].join(", ");
  throw new ConfigError(
    `the remote ${name}: is of the type ${type}, which Overcoat does not serve. It serves the types ${others}`,
  );
}
