/** Parts of rclone's name encoding that a drive needs, as its documentation calls them. */
export type EncodingPart =
  | keyof typeof characters
  | keyof typeof prefixes
  | keyof typeof suffixes
  | "Dot"
  | "InvalidUtf8";

/** How names stand in a drive. */
export interface Encoding {
  /** The name that stands for a segment of a key. */
  encode(segment: string): string;
  /** The segment that a name stands for, also one that others gave. */
  decode(name: string): string;
}

const quote = "\u201b";
const fullWidth = (char: string) => String.fromCharCode(char.charCodeAt(0) + 0xfee0);
const picture = (char: string) =>
  char === "\x7f" ? "\u2421" : String.fromCharCode(char.charCodeAt(0) + 0x2400);
const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => String.fromCharCode(first + index)).join("");

/** Characters that are replaced wherever they stand. */
const characters = {
  Slash: "/",
  BackSlash: "\\",
  Colon: ":",
  Question: "?",
  Asterisk: "*",
  Pipe: "|",
  DoubleQuote: '"',
  LtGt: "<>",
  Hash: "#",
  Percent: "%",
  Dollar: "$",
  SingleQuote: "'",
  BackQuote: "`",
  SquareBracket: "[]",
  Semicolon: ";",
  Exclamation: "!",
  Ctl: range(1, 0x1f),
  CrLf: "\r\n",
  Del: "\x7f",
} as const;

/** Characters that are replaced at the beginning only; the first of these that fits is the only one. */
const prefixes = { LeftSpace: " ", LeftPeriod: ".", LeftTilde: "~", LeftCrLfHtVt: "\r\n\t\v" } as const;

/** And at the end. */
const suffixes = { RightSpace: " ", RightPeriod: ".", RightCrLfHtVt: "\r\n\t\v" } as const;

const replacement = (char: string) => (char <= " " || char === "\x7f" ? picture(char) : fullWidth(char));

/**
 * rclone's encoding of names (its `lib/encoder`, told in its overview "Restricted filenames"), so that a drive that
 * rclone filled reads the same here, and the other way round. Characters that a drive cannot hold are written as
 * others that look alike, and these, where they stand for themselves, behind a quote (U+201B). Bytes that are no
 * UTF-8, which rclone writes as the quote and two digits, cannot stand in a text: they stay as they are written.
 */
export function rcloneEncoding(parts: readonly EncodingPart[]): Encoding {
  const active = new Set<string>(parts);
  const chosen = (of: Readonly<Record<string, string>>) =>
    Object.entries(of)
      .filter(([part]) => active.has(part))
      .flatMap(([, chars]) => [...chars])
      .map((char) => [char, replacement(char)] as const);
  const inside = new Map([["\0", "\u2400"], ...chosen(characters)]);
  const outside = new Map([...inside].map(([char, written]) => [written, char]));
  const first = chosen(prefixes);
  const last = chosen(suffixes);
  const dots = active.has("Dot");
  const written = new RegExp(`${quote}?[${[...outside.keys()].join("")}]|${quote}{2}`, "g");

  const encodeInside = (text: string) =>
    text.replace(/[^a-zA-Z0-9]/g, (char) =>
      char === quote || outside.has(char) ? quote + char : (inside.get(char) ?? char),
    );
  const decodeInside = (text: string) =>
    text.replace(written, (match) => (match.length === 1 ? outside.get(match)! : match[1]!));

  return {
    encode(segment) {
      if (dots && /^[.．]{1,2}$/.test(segment) && new Set(segment).size === 1)
        return segment.startsWith(".")
          ? segment.replaceAll(".", "．")
          : segment.replaceAll("．", `${quote}．`);
      let text = segment;
      let before = "";
      let after = "";
      for (const [char, instead] of first) {
        if (!text.startsWith(char) && !text.startsWith(instead)) continue;
        before = text.startsWith(char) ? instead : quote + instead;
        text = text.slice(1);
        break;
      }
      for (const [char, instead] of last) {
        if (!text.endsWith(char) && !text.endsWith(instead)) continue;
        after = text.endsWith(char) ? instead : quote + instead;
        text = text.slice(0, -1);
        break;
      }
      return before + encodeInside(text) + after;
    },

    decode(name) {
      if (dots && /^(．{1,2}|(‛．){1,2})$/.test(name))
        return name.startsWith(quote) ? name.replaceAll(quote, "") : name.replaceAll("．", ".");
      let text = name;
      let before = "";
      let after = "";
      for (const [char, instead] of first) {
        const quoted = text.startsWith(quote + instead);
        if (!quoted && !text.startsWith(instead)) continue;
        before = quoted ? instead : char;
        text = text.slice(quoted ? 2 : 1);
        break;
      }
      for (const [char, instead] of last) {
        if (!text.endsWith(instead)) continue;
        const quoted = text.endsWith(quote + instead);
        after = quoted ? instead : char;
        text = text.slice(0, quoted ? -2 : -1);
        break;
      }
      return before + decodeInside(text) + after;
    },
  };
}

const known = new Set<string>([
  ...Object.keys(characters),
  ...Object.keys(prefixes),
  ...Object.keys(suffixes),
  ...["Dot", "InvalidUtf8"],
]);

/**
 * Reads the value of `encoding` in rclone.conf, such as `Slash,Colon,Dot`.
 * @throws Error for what rclone does not know
 */
export function parseEncoding(text: string): Encoding {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.length === 1 && parts[0] === "Raw") return { encode: (text) => text, decode: (text) => text };
  const wanted = parts.filter((part) => part !== "" && part !== "None");
  const strange = wanted.find((part) => !known.has(part));
  if (strange !== undefined)
    throw new Error(`encoding has "${strange}", which is none of ${[...known].join(", ")}, None and Raw`);
  return rcloneEncoding(wanted as EncodingPart[]);
}
