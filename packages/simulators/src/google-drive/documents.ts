const office = "application/vnd.openxmlformats-officedocument.";

/** What Google's own documents can be exported as. */
export const exportFormats: Readonly<Record<string, string[]>> = {
  "application/vnd.google-apps.document": [
    `${office}wordprocessingml.document`,
    "application/pdf",
    "text/html",
    "text/plain",
    "text/markdown",
  ],
  "application/vnd.google-apps.spreadsheet": [`${office}spreadsheetml.sheet`, "application/pdf", "text/csv"],
  "application/vnd.google-apps.presentation": [
    `${office}presentationml.presentation`,
    "application/pdf",
    "text/plain",
  ],
  "application/vnd.google-apps.drawing": ["image/svg+xml", "image/png", "application/pdf", "image/jpeg"],
};

/** A document as an export gives it: its name and the format, for there is nothing in it. */
export function exported(name: string, mimeType: string): Buffer {
  return Buffer.from(`${name}\n${mimeType}\n`);
}
