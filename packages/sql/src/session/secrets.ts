import { type Options, type Source, SqlError } from "@overcoat/sources";
import { splitAddress } from "./allow.ts";

/** What `secret 'NAME'` stands for. */
export interface Secret {
  readonly value: string;
  /** `host:port` or `host` of the services that it may be shown to. */
  readonly addresses: readonly string[];
}

export type Secrets = (name: string) => Secret | undefined;

const secretName = "secret";

/**
 * The options that a source is given: with the names that it knows, and a named secret's value in its place.
 * @throws SqlError 42704 for a secret that is not known here, 42501 for one that belongs to other addresses
 */
export function resolveOptions(source: Source, given: Options, secrets: Secrets): Options {
  const { [secretName]: name, ...rest } = given;
  const options = withoutSynonyms(rest, { ...source.options.server, ...source.options.user });
  if (name === undefined) return options;
  const secret = secrets(name);
  if (!secret)
    throw new SqlError("42704", `secret "${name}" is not known to the SQL server`, {
      hint: `Give it to the SQL server as OVERCOAT_SECRET_${name}, or in its configuration.`,
    });
  const resolved = { ...options, [source.secretOption]: secret.value };
  const bound = secret.addresses.map(splitAddress);
  for (const address of source.addresses(resolved)) {
    const { host, port } = splitAddress(address);
    if (!bound.some((one) => one.host === host && (one.port === undefined || one.port === port)))
      throw new SqlError("42501", `secret "${name}" may not be used with ${address}`, {
        hint: `Name the address in OVERCOAT_SECRET_${name}_ADDRESSES of the SQL server, or in its configuration.`,
      });
  }
  return resolved;
}

/** The options by the names that the source itself uses. */
export function withoutSynonyms(options: Options, descriptions: Source["options"]["server"]): Options {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [descriptions[name]?.synonymOf ?? name, value]),
  );
}
