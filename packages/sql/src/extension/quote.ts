/** A string as SQL's literal, whatever `standard_conforming_strings` says. */
export function literal(text: string): string {
  const doubled = text.replaceAll("'", "''");
  return text.includes("\\") ? `E'${doubled.replaceAll("\\", "\\\\")}'` : `'${doubled}'`;
}

/** A name as SQL's quoted identifier. */
export const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`;
