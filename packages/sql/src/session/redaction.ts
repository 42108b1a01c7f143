import { type Options, type Source, SqlError } from "@overcoat/sources";

/** Shorter values stand in too many texts by chance. */
const shortest = 4;
const mask = "***";

/** The values among a service's options that nobody may read: secret options, and passwords in URLs. */
export function secretValues({ options, secretOption }: Source, given: Options): string[] {
  const descriptions = { ...options.server, ...options.user };
  const values = Object.entries(given).flatMap(([name, value]) =>
    descriptions[name]?.secret || name === secretOption ? [value] : passwordOf(value),
  );
  return values.filter(({ length }) => length >= shortest).toSorted((a, b) => b.length - a.length);
}

/** An error without what nobody may read, should a library have put it there. */
export function withoutSecrets(error: SqlError, secrets: readonly string[]): SqlError {
  const texts = [error.message, error.detail, error.hint];
  if (!secrets.some((secret) => texts.some((text) => text?.includes(secret)))) return error;
  const { sqlState, message, detail, hint } = error;
  return new SqlError(sqlState, masked(message, secrets), {
    ...(detail !== undefined && { detail: masked(detail, secrets) }),
    ...(hint !== undefined && { hint: masked(hint, secrets) }),
  });
}

export function masked(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, mask), text);
}

function passwordOf(value: string): string[] {
  const password = URL.canParse(value) ? new URL(value).password : "";
  return password === "" ? [] : [password, decodeURIComponentSafely(password)];
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
