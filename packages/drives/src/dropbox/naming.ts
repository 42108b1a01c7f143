import { type Encoding, rcloneEncoding } from "../remote/rclone-names.ts";

/** What rclone's dropbox backend encodes where its configuration does not say otherwise. */
export const defaultEncoding = rcloneEncoding([
  "Slash",
  "BackSlash",
  "Del",
  "RightSpace",
  "InvalidUtf8",
  "Dot",
]);

/** Most characters of a name. */
const longestName = 255;

/** Names that the service refuses in any case of letters (Dropbox, "Files that don't sync"). */
const refused = /^(desktop\.ini|thumbs\.db|\.ds_store|icon\r|\.dropbox|\.dropbox\.attr)$/i;

/** The name of a segment, or undefined where Dropbox has none for it. */
export function encodeName(segment: string, encoding: Encoding): string | undefined {
  const name = encoding.encode(segment);
  if (name === "" || [...name].length > longestName || refused.test(name)) return undefined;
  // Few strange segments, such as a quote before a space at the end, share the name of another one.
  return name.isWellFormed() && encoding.decode(name) === segment ? name : undefined;
}
