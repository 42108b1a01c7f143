/**
 * The elements of a one-dimensional array as PostgreSQL writes it, `{a,"b c",NULL}`.
 * `undefined` for anything else.
 * Source of the syntax: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function readArray(text: string): (string | null)[] | undefined {
  if (text === "{}") return [];
  if (!text.startsWith("{") || !text.endsWith("}")) return undefined;
  const elements: (string | null)[] = [];
  const element = /(?:"((?:[^"\\]|\\[\s\S])*)"|([^",{}\\\s][^",{}\\]*))([,}])/y;
  element.lastIndex = 1;
  for (;;) {
    const match = element.exec(text);
    if (!match) return undefined;
    const [, quoted, bare, end] = match;
    if (quoted !== undefined) elements.push(quoted.replace(/\\([\s\S])/g, "$1"));
    else if (/\s$/.test(bare!)) return undefined;
    else elements.push(/^null$/i.test(bare!) ? null : bare!);
    if (end === "}") return element.lastIndex === text.length ? elements : undefined;
  }
}
