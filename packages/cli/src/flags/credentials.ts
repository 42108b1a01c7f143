import type { Credential } from "@overcoat/s3";
import type { ParsedConfig } from "../config.ts";
import { UsageError } from "../errors.ts";
import type { Environment, Flags } from "./resolve.ts";
import * as values from "./values.ts";

/** Keys of flags, else of `RC_S3_*`; those of the configuration beside them; `AWS_*` only where there is no other. */
export function resolveCredentials(flags: Flags, env: Environment, config: ParsedConfig): Credential[] {
  const found = (flags.authKey ?? []).map((text): Credential => values.parseKeyPair(text, "--auth-key"));
  const pairs: [string | undefined, string | undefined, string, string][] = [
    [flags.accessKeyId, flags.secretAccessKey, "--access-key-id", "--secret-access-key"],
    [flags.user, flags.pass, "--user", "--pass"],
  ];
  for (const [id, secret, idName, secretName] of pairs) {
    if (id === undefined && secret === undefined) continue;
    // One half may come from the environment, so that the secret stays out of the process list.
    const accessKeyId = id ?? env.RC_S3_ACCESS_KEY_ID;
    const secretAccessKey = secret ?? env.RC_S3_SECRET_ACCESS_KEY;
    if (!accessKeyId || !secretAccessKey)
      throw new UsageError(`${idName} and ${secretName} must be given together`);
    found.push({ accessKeyId, secretAccessKey });
  }
  const fromEnv = (prefix: string) => {
    const accessKeyId = env[`${prefix}ACCESS_KEY_ID`];
    const secretAccessKey = env[`${prefix}SECRET_ACCESS_KEY`];
    if (accessKeyId && secretAccessKey) found.push({ accessKeyId, secretAccessKey });
    else if (accessKeyId || secretAccessKey) {
      throw new UsageError(`${prefix}ACCESS_KEY_ID and ${prefix}SECRET_ACCESS_KEY must be set together`);
    }
  };
  if (found.length === 0) fromEnv("RC_S3_");
  for (const key of config.keys ?? []) {
    if (!found.some((other) => other.accessKeyId === key.accessKeyId)) found.push(key);
  }
  if (found.length === 0) fromEnv("AWS_");
  for (const [i, key] of found.entries()) {
    const same = found.findIndex((other) => other.accessKeyId === key.accessKeyId);
    if (same !== i && found[same]!.secretAccessKey !== key.secretAccessKey) {
      throw new UsageError(`the access key ${key.accessKeyId} is given twice with different secrets`);
    }
  }
  return found.filter((key, i) => found.findIndex((other) => other.accessKeyId === key.accessKeyId) === i);
}
