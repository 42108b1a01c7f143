import { SqlError } from "../../error.ts";

/** What `uri` names: one object, or those whose keys match a pattern. */
export interface Uri {
  readonly bucket: string;
  /** What all keys begin with; the whole key if there is no pattern. */
  readonly prefix: string;
  /** `undefined` for one object. */
  readonly pattern: RegExp | undefined;
}

/** Wildcards of one kind in a part of the path in which they could match alike: more take long to tell apart. */
const mostAlike = 3;

/** Keys that braces may stand for. */
const mostAlternatives = 1000;

/**
 * `s3://bucket/key` with `*` and `?` (no slash), `**` (any number of folders), `{a,b}`, and a backslash before
 * such a character that is meant as itself.
 * @throws SqlError HV00D
 */
export function parseUri(text: string): Uri {
  const [, bucket, path] = /^s3a?:\/\/([^/]+)\/(.+)$/s.exec(text) ?? [];
  if (!bucket || !path)
    throw new SqlError("HV00D", `option uri is no address of objects: ${text}`, {
      hint: "write it as s3://bucket/path/file.csv or s3://bucket/path/*.csv",
    });
  checkWildcards(path, text);
  let prefix = "";
  let expression = "";
  let braces = 0;
  let isPattern = false;
  for (const [token] of path.matchAll(/\*\*\/|\*+|\\.?|./gsu)) {
    const part = wildcard(token, braces > 0);
    if (token === "{") braces++;
    if (token === "}" && braces > 0) braces--;
    if (part !== undefined) isPattern = true;
    const literal = token.length > 1 && token[0] === "\\" ? token.slice(1) : token;
    if (!isPattern) prefix += literal;
    expression += part ?? RegExp.escape(literal);
  }
  if (braces > 0) throw new SqlError("HV00D", `option uri opens a brace that it does not close: ${text}`);
  return { bucket, prefix, pattern: isPattern ? new RegExp(`^${expression}$`, "su") : undefined };
}

function checkWildcards(path: string, text: string): void {
  const plain = path.replace(/\\./gs, "");
  const folders = plain.match(/\*\*+/g)?.length ?? 0;
  const inSegment = plain.split("/").map((segment) => segment.match(/\*+/g)?.length ?? 0);
  const alternatives = (plain.match(/\{[^{}]*/g) ?? []).reduce(
    (all, group) => all * group.split(",").length,
    1,
  );
  if (folders > mostAlike || Math.max(...inSegment) > mostAlike || alternatives > mostAlternatives)
    throw new SqlError("HV00D", `option uri has too many wildcards: ${text}`, {
      hint: `at most ${mostAlike} times ** in all, * between two slashes, and braces for ${mostAlternatives} paths`,
    });
}

function wildcard(token: string, inBraces: boolean): string | undefined {
  switch (token) {
    case "**/":
      return "(?:.*/)?";
    case "*":
      return "[^/]*";
    case "?":
      return "[^/]";
    case "{":
      return "(?:";
    case "}":
      return inBraces ? ")" : undefined;
    case ",":
      return inBraces ? "|" : undefined;
  }
  return /^\*\*+$/.test(token) ? ".*" : undefined;
}
