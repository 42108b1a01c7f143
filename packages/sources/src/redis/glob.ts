/** Text as a pattern of Redis that matches nothing else. */
export const literal = (text: string) => text.replace(/[\\*?[\]]/g, "\\$&");

export interface Pattern {
  /** The text, where the pattern matches it only. */
  readonly text?: string;
  /** What all matches begin with. */
  readonly prefix: string;
  readonly glob: string;
  /** Whether the glob matches exactly what LIKE matches, and not more. */
  readonly exact: boolean;
}

/**
 * A pattern of LIKE as one of Redis (https://redis.io/docs/latest/commands/keys/). `_` is one character, but
 * `?` one byte, so it becomes `*`.
 * @returns undefined for one that ends in the escape character, which LIKE refuses
 */
export function fromLike(like: string): Pattern | undefined {
  let glob = "";
  let prefix = "";
  let exact = true;
  /** Whether a wildcard has come, and whether it came last. */
  let open = false;
  let star = false;
  for (let index = 0; index < like.length; index++) {
    let character = like[index]!;
    if (character === "%" || character === "_") {
      if (character === "_") exact = false;
      if (!star) glob += "*";
      open = star = true;
      continue;
    }
    if (character === "\\") {
      index += 1;
      if (index === like.length) return undefined;
      character = like[index]!;
    }
    glob += literal(character);
    star = false;
    if (!open) prefix += character;
  }
  return { text: open ? undefined : prefix, prefix, glob, exact };
}
