/**
 * Whether text matches a LIKE pattern; `undefined` for a pattern that ends with its escape character, which
 * PostgreSQL refuses.
 */
export function likeMatcher(pattern: string): ((text: string) => boolean) | undefined {
  const tokens = tokenize(pattern);
  if (!tokens) return undefined;
  const literals = tokens.filter((token) => typeof token === "string");
  if (tokens.length === literals.length) {
    const whole = literals.join("");
    return (text) => text === whole;
  }
  if (literals.length === 1 && tokens.length === 2 && tokens[1] === any) {
    const prefix = literals[0]!;
    return (text) => text.startsWith(prefix);
  }
  if (literals.length === 1 && tokens.length === 2 && tokens[0] === any) {
    const suffix = literals[0]!;
    return (text) => text.endsWith(suffix);
  }
  if (literals.length === 1 && tokens.length === 3 && tokens[0] === any && tokens[2] === any) {
    const part = literals[0]!;
    return (text) => text.includes(part);
  }
  return (text) => match(tokens, text);
}

const any = Symbol("%");
const one = Symbol("_");
type Token = string | typeof any | typeof one;

function tokenize(pattern: string): Token[] | undefined {
  const tokens: Token[] = [];
  let literal = "";
  const add = (token: Token) => {
    if (literal !== "") tokens.push(literal);
    literal = "";
    if (token !== any || tokens.at(-1) !== any) tokens.push(token);
  };
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index]!;
    if (character === "%") add(any);
    else if (character === "_") add(one);
    else if (character !== "\\") literal += character;
    else {
      index++;
      if (index === pattern.length) return undefined;
      literal += pattern[index];
    }
  }
  if (literal !== "" || tokens.length === 0) tokens.push(literal);
  return tokens;
}

/** After a failure only the last `%` needs to take more text, so that this ends in time for any pattern. */
function match(tokens: readonly Token[], text: string): boolean {
  let token = 0;
  let position = 0;
  let retryToken = -1;
  let retryPosition = 0;
  while (token < tokens.length || position < text.length) {
    const next = tokens[token];
    if (next === any) {
      retryToken = ++token;
      retryPosition = position;
      continue;
    }
    if (next === one && position < text.length) {
      position += characterLength(text, position);
      token++;
      continue;
    }
    if (typeof next === "string" && text.startsWith(next, position)) {
      position += next.length;
      token++;
      continue;
    }
    if (retryToken < 0 || retryPosition >= text.length) return false;
    retryPosition += characterLength(text, retryPosition);
    position = retryPosition;
    token = retryToken;
  }
  return true;
}

function characterLength(text: string, position: number): number {
  return text.codePointAt(position)! > 0xffff ? 2 : 1;
}
