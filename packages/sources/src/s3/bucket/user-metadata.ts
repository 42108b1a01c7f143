type Metadata = Readonly<Record<string, string>>;

/** Values that are not ASCII travel as RFC 2047 has it: so S3 itself answers them. */
export function encodeUserMetadata(metadata: Metadata): Record<string, string> {
  return mapValues(metadata, (value) =>
    /^[\x20-\x7e]*$/.test(value) && !value.includes("=?")
      ? value
      : `=?UTF-8?B?${Buffer.from(value).toString("base64")}?=`,
  );
}

/** Reads RFC 2047's encoded words, and UTF-8 that a server sends as it is, which Node.js takes for Latin-1. */
export function decodeUserMetadata(metadata: Metadata): Record<string, string> {
  return mapValues(metadata, (value) => {
    if (value.includes("=?"))
      return value
        .replace(/(\?=)\s+(?==\?)/g, "$1")
        .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, encoding: string, text: string) =>
          encoding.toLowerCase() === "b"
            ? Buffer.from(text, "base64").toString()
            : Buffer.from(
                text
                  .replaceAll("_", " ")
                  .replace(/=([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
                "latin1",
              ).toString(),
        );
    if (!/[\x80-\xff]/.test(value)) return value;
    const decoded = Buffer.from(value, "latin1").toString();
    return decoded.includes("\ufffd") ? value : decoded;
  });
}

const mapValues = (metadata: Metadata, change: (value: string) => string) =>
  Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, change(value)]));
