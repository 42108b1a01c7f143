/** Whether text matches a pattern of `*` (any run) and, unless told otherwise, `?` (any one character). */
export function glob(pattern: string, text: string, single = true): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let i = 0;
  while (i < text.length) {
    const char = pattern[at];
    if (char === "*") {
      star = at++;
      resume = i;
    } else if (single && char === "?") {
      at++;
      i += text.codePointAt(i)! > 0xffff ? 2 : 1;
    } else if (char !== undefined && char === text[i]) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++resume;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
