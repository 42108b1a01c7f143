import { invalidRequest } from "./errors.ts";

const forbidden = /["*:<>?/\\|\u0000-\u001f\u007f]/;
const reserved = /^(\.lock|con|prn|aux|nul|com\d|lpt\d|desktop\.ini)$/i;

/** Names that fold alike are the same name. */
export const foldName = (name: string): string => name.normalize("NFC").toLowerCase();

/**
 * Refuses what OneDrive and SharePoint refuse as the name of an item.
 * @param atRoot whether it stands in the root of a document library
 * @throws GraphError 400
 */
export function checkName(name: unknown, atRoot = false): asserts name is string {
  if (typeof name !== "string" || name === "") throw invalidRequest("The name must not be empty.");
  if (name.length > 255) throw invalidRequest("The name is longer than 255 characters.", "pathIsTooLong");
  const refuse = (why: string) => invalidRequest(`The provided name cannot be used: ${why}.`);
  if (name === "." || name === "..") throw refuse("it is a relative path");
  if (forbidden.test(name)) throw refuse("it has a character that is not allowed");
  if (name.startsWith(" ") || name.endsWith(" ")) throw refuse("it begins or ends with a space");
  if (name.endsWith(".")) throw refuse("it ends with a period");
  if (name.startsWith("~$")) throw refuse("it begins with ~$");
  if (reserved.test(name)) throw refuse("it is reserved");
  if (name.toLowerCase().includes("_vti_")) throw refuse("it contains _vti_");
  if (atRoot && name.toLowerCase() === "forms") throw refuse("it is reserved at the root of a library");
}

/** @throws GraphError 400 */
export function checkPathLength(length: number): void {
  if (length > 400) throw invalidRequest("The path is longer than 400 characters.", "pathIsTooLong");
}

const types: Readonly<Record<string, string>> = {
  bin: "application/octet-stream",
  csv: "text/csv",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  gif: "image/gif",
  gz: "application/gzip",
  htm: "text/html",
  html: "text/html",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: "application/javascript",
  json: "application/json",
  md: "text/markdown",
  mp4: "video/mp4",
  pdf: "application/pdf",
  png: "image/png",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  txt: "text/plain",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  xml: "text/xml",
  zip: "application/zip",
};

/** The content type that the service gives a file by its name. */
export function mimeType(name: string): string {
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
  return types[extension] ?? "application/octet-stream";
}
