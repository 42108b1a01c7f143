/** What Google keeps of a file for one app: entries by name, of which `null` removes one. */
export type AppProperties = Readonly<Record<string, string>>;

/** Entries of a file that an app may have, and bytes of one with its name. */
const mostEntries = 30;
const mostBytes = 124;

/** `o0` to `ot`. */
const nameOf = (index: number) => `o${index.toString(36)}`;

/**
 * Bytes of text that fit for certain: where a character does not fit into an entry any more, up to three bytes of it
 * stay empty, and the first entry also says how many there are.
 */
export const propertiesLimit = mostEntries * (mostBytes - 2 - 3) - 1;

/**
 * A text as entries, the first of which says how many there are: so entries that a longer text left behind mean
 * nothing. No text at all is a text of no entries.
 */
export function toAppProperties(text: string | undefined): AppProperties {
  if (text === undefined) return { [nameOf(0)]: "0" };
  const pieces: string[] = [];
  let piece = "";
  let left = mostBytes - 2 - 1;
  for (const char of text) {
    const size = Buffer.byteLength(char);
    if (size > left) {
      pieces.push(piece);
      piece = "";
      left = mostBytes - 2;
    }
    piece += char;
    left -= size;
  }
  pieces.push(piece);
  const [first, ...others] = pieces;
  const values = [pieces.length.toString(36) + first, ...others];
  return Object.fromEntries(values.map((value, index) => [nameOf(index), value]));
}

/** The text that entries hold; undefined where they hold none, or not all of it. */
export function fromAppProperties(entries: AppProperties | undefined): string | undefined {
  const first = entries?.[nameOf(0)];
  if (!entries || !first) return undefined;
  const count = Number.parseInt(first[0]!, 36);
  if (!(count > 0)) return undefined;
  const others = Array.from({ length: count - 1 }, (_, index) => entries[nameOf(index + 1)]);
  return others.includes(undefined) ? undefined : first.slice(1) + others.join("");
}
