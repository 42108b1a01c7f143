/** A LIKE pattern taken apart. */
export interface Like {
  /** What every match begins with: the whole of an `exact` one, all that is asked of a `prefix` one. */
  readonly prefix: string;
  readonly kind: "exact" | "prefix" | "pattern";
  test(text: string): boolean;
}

/**
 * `%`, `_` (one code point) and backslash as in SQL; `undefined` for a pattern that ends in a lone backslash.
 * Between two `%` each piece is looked for once and from the left, so that no pattern takes long.
 */
export function parseLike(pattern: string): Like | undefined {
  let prefix = "";
  let wild = false;
  const pieces = [""];
  for (const [token] of pattern.matchAll(/%+|_|\\.?|[^%_\\]+/gsu)) {
    if (token === "\\") return undefined;
    const literal = token[0] === "\\" ? token.slice(1) : token;
    if (token[0] === "%" || token === "_") wild = true;
    else if (!wild) prefix += literal;
    if (token[0] === "%") pieces.push("");
    else pieces[pieces.length - 1] += token === "_" ? "." : RegExp.escape(literal);
  }
  if (!wild) return { prefix, kind: "exact", test: (text) => text === prefix };
  if (/^(?:[^%_\\]|\\.)*%+$/s.test(pattern))
    return { prefix, kind: "prefix", test: (text) => text.startsWith(prefix) };
  const last = pieces.length - 1;
  const expressions = pieces.map(
    (piece, i) => new RegExp(i === last ? `${piece}$` : piece, i === 0 ? "suy" : "sug"),
  );
  const test = (text: string) => {
    let at = 0;
    return expressions.every((expression) => {
      expression.lastIndex = at;
      const found = expression.test(text);
      at = expression.lastIndex;
      return found;
    });
  };
  return { prefix, kind: "pattern", test };
}
