import { type Encoding, rcloneEncoding } from "../remote/rclone-names.ts";

/** What rclone's onedrive backend encodes where its configuration does not say otherwise. */
export const defaultEncoding = rcloneEncoding([
  ...(["Slash", "LtGt", "DoubleQuote", "Colon", "Question", "Asterisk", "Pipe", "BackSlash"] as const),
  ...(["Del", "Ctl", "LeftSpace", "LeftTilde", "RightSpace", "RightPeriod", "InvalidUtf8", "Dot"] as const),
]);

/** Most characters of a name, and of the whole path of an item. */
const longestName = 255;
export const longestPath = 400;

/** Names that the service refuses in any case of letters (Microsoft, "Restrictions and limitations"). */
const reserved = /^(\.lock|con|prn|aux|nul|com\d|lpt\d|desktop\.ini)$|_vti_/i;

/** The name of a segment, or undefined where OneDrive has none for it. */
export function encodeName(segment: string, encoding: Encoding): string | undefined {
  const name = encoding.encode(segment);
  if (name === "" || name.length > longestName || reserved.test(name)) return undefined;
  // Few strange segments, such as a quote before a space at the end, share the name of another one.
  return encoding.decode(name) === segment ? name : undefined;
}

/** The library adds properties to these files after their upload, so that they are other bytes then. */
export const isRewritten = (name: string) =>
  /\.(doc|docx|docm|dot|dotx|dotm|xls|xlsx|xlsm|xlsb|xlt|xltx|ppt|pptx|pptm|pps|ppsx|pot|potx|vsdx|one|pub|aspx|mht|mhtml|htm|html)$/i.test(
    name,
  );
