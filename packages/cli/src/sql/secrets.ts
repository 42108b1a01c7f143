import type { Secret, Secrets } from "@overcoat/sql";
import type { ParsedConfig } from "../config.ts";
import { UsageError } from "../errors.ts";
import type { Environment } from "../flags/resolve.ts";

const variable = /^OVERCOAT_SECRET_(\w+?)(_ADDRESSES)?$/;

/** What a secret that names no addresses may be used with: services on this machine. */
const loopback = ["127.0.0.1", "localhost", "::1"];

/**
 * Secrets by name: `OVERCOAT_SECRET_<NAME>` with `OVERCOAT_SECRET_<NAME>_ADDRESSES` (`host[:port]`, by commas) in
 * the environment, and over them those of the configuration. A secret goes only to its addresses; one without any
 * only to services on this machine, since whoever may make foreign servers could send it elsewhere.
 * @throws UsageError for addresses without a secret
 */
export function resolveSecrets(env: Environment, config: ParsedConfig): Secrets {
  const found = new Map<string, Secret>();
  for (const [key, value] of Object.entries(env)) {
    const [, name, addresses] = variable.exec(key) ?? [];
    if (name === undefined || !value) continue;
    if (addresses === undefined)
      found.set(name, { value, addresses: split(env[`${key}_ADDRESSES`]) ?? loopback });
    else if (!env[`OVERCOAT_SECRET_${name}`])
      throw new UsageError(`${key} is set, but OVERCOAT_SECRET_${name} is not`);
  }
  for (const [name, secret] of Object.entries(config.sql?.secrets ?? {}))
    found.set(
      name,
      typeof secret === "string"
        ? { value: secret, addresses: loopback }
        : { value: secret.value, addresses: secret.addresses ?? loopback },
    );
  return (name) => found.get(name);
}

function split(text: string | undefined): string[] | undefined {
  const parts = text?.split(",").map((part) => part.trim());
  return parts?.some(Boolean) ? parts.filter(Boolean) : undefined;
}
