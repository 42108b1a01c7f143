import { type Type, types } from "./layout.ts";

/** The keys of an imported table: those with a prefix, or a single one. */
export interface ImportedKeys {
  readonly type: Type;
  readonly prefix?: string;
  readonly key?: string;
}

/** PostgreSQL cuts longer names. */
const longestName = 63;

/**
 * A table's name from which its keys follow again: `session:` → `session`, the hashes of `app:user:` →
 * `app__user_hash`, the sorted set `scores` → `scores_zset_key`. Characters that would have to be quoted become
 * `$` and their code.
 * @returns undefined for keys that have no such name
 */
export function importedName({ type, prefix, key }: ImportedKeys): string | undefined {
  const text = escaped(key ?? (prefix!.endsWith(":") ? prefix!.slice(0, -1) : prefix!));
  const name = key === undefined ? `${text}_${type}` : `${text}_${type}_key`;
  const candidates = type === "string" && key === undefined && text !== "" ? [text, name] : [name];
  return candidates.find((candidate) => {
    const found = Buffer.byteLength(candidate) <= longestName ? importedKeys(candidate) : undefined;
    return found?.type === type && found.prefix === prefix && found.key === key;
  });
}

const suffix = new RegExp(`^(.*)_(${types.join("|")})(_key)?$`, "s");

/** What `importedName` was made of. */
export function importedKeys(name: string): ImportedKeys {
  const [, text = name, type = "string", single] = suffix.exec(name) ?? [];
  const plain = text.replace(/\$([\da-f]{2})|__/g, (_, code?: string) =>
    code ? String.fromCharCode(Number.parseInt(code, 16)) : ":",
  );
  if (single) return { type: type as Type, key: plain };
  return { type: type as Type, prefix: /[/.|]$/.test(plain) ? plain : `${plain}:` };
}

/** `:` becomes `__`, so an underscore beside one that is not alone, and at the ends, is escaped too. */
function escaped(text: string): string {
  return text
    .replace(
      /[^A-Za-z0-9_:\u0080-\uFFFF]|^_|_$|_(?=[_:])|(?<=[_:])_/g,
      (character) => `$${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
    )
    .replaceAll(":", "__");
}
