import mime from "mime";

/** The media type that follows from the end of a key; undefined where none does. */
export const contentTypeOf = (key: string): string | undefined => mime.getType(key) ?? undefined;

/** What clients say of bytes that they do not know. */
const unknown = new Set(["application/octet-stream", "binary/octet-stream"]);

/** Whether an object has this media type by its key, or by nothing else. */
export const followsFromName = (key: string, type: string): boolean =>
  unknown.has(type) || type === contentTypeOf(key);
