/** Compares as PostgreSQL's pg_c_utf8 and S3 do: by code point, where JavaScript compares UTF-16 units. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const one = a.charCodeAt(i);
    const other = b.charCodeAt(i);
    if (one !== other) return rank(one) - rank(other);
  }
  return a.length - b.length;
}

/** Surrogates, of which code points above U+FFFF are made, come after U+E000–U+FFFF. */
const rank = (unit: number) => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);

/** A string just below this one: none that is likely to be a key lies between them. */
export function justBelow(text: string): string {
  const points = [...text];
  const last = points.pop()?.codePointAt(0);
  if (last === undefined || last <= 0x20) return points.join("");
  const before = last === 0xe000 ? 0xd7ff : last - 1;
  return `${points.join("")}${String.fromCodePoint(before)}\u{10ffff}`;
}
