import { type Encoding, rcloneEncoding } from "../remote/rclone-names.ts";

/** What rclone's drive backend encodes where its configuration does not say otherwise. */
const drive = rcloneEncoding(["InvalidUtf8"]);

const quote = "\u201b";

/**
 * Google Drive holds any name, also one with slashes, which rclone shows as full-width ones: `a/b` is the segment
 * `a／b`, and `a／b` is `a‛／b`. Quotes before either are doubled, so that each name has a segment of its own.
 */
export function encodingOf(chosen: Encoding = drive): Encoding {
  return {
    encode: (segment) =>
      chosen.encode(
        segment.replace(/(‛*)／/g, (_, quotes: string) => {
          const half = quote.repeat(quotes.length >> 1);
          return half + (quotes.length % 2 === 1 ? "／" : "/");
        }),
      ),
    decode: (name) =>
      chosen
        .decode(name)
        .replace(/(‛*)([/／])/g, (_, quotes: string, slash: string) =>
          slash === "/" ? `${quotes}${quotes}／` : `${quotes}${quotes}${quote}／`,
        ),
  };
}

/** The name of a segment, or undefined where Google Drive has none for it. */
export function encodeName(segment: string, encoding: Encoding): string | undefined {
  const name = encoding.encode(segment);
  // Few strange segments share the name of another one.
  return name !== "" && encoding.decode(name) === segment ? name : undefined;
}
