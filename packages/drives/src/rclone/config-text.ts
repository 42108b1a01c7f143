import { ConfigError } from "./errors.ts";

/** A section's keys and values. */
export type Section = Readonly<Record<string, string>>;

/** Where a line stands: a section's header, a key of it, or what is to be left alone. */
type Line =
  | { readonly kind: "header"; readonly name: string }
  | { readonly kind: "key"; readonly key: string; readonly value: string }
  | { readonly kind: "other" };

/** Begins a file that rclone has encrypted. */
const encrypted = /^RCLONE_ENCRYPT_V\d+:/;

/**
 * The sections of an rclone.conf, in the order of the file.
 * @throws ConfigError when the file is encrypted
 */
export function parseConfig(text: string, file: string): ReadonlyMap<string, Section> {
  const sections = new Map<string, Record<string, string>>();
  let section: Record<string, string> | undefined;
  for (const one of lines(checkReadable(text, file))) {
    const line = parseLine(one);
    if (line.kind === "header") {
      section = sections.get(line.name) ?? {};
      sections.set(line.name, section);
    } else if (line.kind === "key" && section) section[line.key] = line.value;
  }
  return sections;
}

/** @returns the text with this value in this section, each of them added where it lacks; all else is as before */
export function setValue(text: string, name: string, key: string, value: string): string {
  const entry = `${key} = ${value}`;
  const all = lines(text);
  const places = extents(all, name);
  for (const { start, end } of places)
    for (let index = start; index < end; index++) {
      const line = parseLine(all[index]!);
      if (line.kind === "key" && line.key === key) return all.with(index, entry).join("\n");
    }
  const last = places.at(-1);
  return last ? all.toSpliced(last.end, 0, entry).join("\n") : setSection(text, name, { [key]: value });
}

/** @returns the text with the section in the place of one of this name, else at the end; all else is as before */
export function setSection(text: string, name: string, section: Section): string {
  const added = [`[${name}]`, ...Object.entries(section).map(([key, value]) => `${key} = ${value}`)];
  const all = lines(text);
  const [first, ...others] = extents(all, name);
  if (!first) return `${[text.trimEnd(), added.join("\n")].filter((part) => part !== "").join("\n\n")}\n`;
  for (const { start, end } of others.toReversed()) all.splice(start, end - start);
  all.splice(first.start, first.end - first.start, ...added);
  return all.join("\n");
}

/** @returns the text without the section; all else is as before */
export function removeSection(text: string, name: string): string {
  const all = lines(text);
  for (const { start, end } of extents(all, name).toReversed()) {
    const empty = all.slice(end).findIndex((line) => line.trim() !== "");
    all.splice(start, end - start + Math.max(empty, 0));
  }
  return all.join("\n");
}

/** @throws ConfigError when rclone has encrypted it */
export function checkReadable(text: string, file: string): string {
  const first = lines(text).find((line) => line.trim() !== "" && !isComment(line));
  if (first !== undefined && encrypted.test(first.trim()))
    throw new ConfigError(
      `${file} is encrypted with rclone's configuration password, which Overcoat does not read. Take the encryption off with "rclone config encryption remove" (in older versions "rclone config", then s), or sign in anew into another file: overcoat login onedrive --config FILE.conf`,
    );
  return text;
}

/** From the header to behind the last key: a comment below that belongs to what follows. */
function extents(all: readonly string[], name: string): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  let inside = false;
  for (const [index, one] of all.entries()) {
    const line = parseLine(one);
    if (line.kind === "header") {
      inside = line.name === name;
      if (inside) found.push({ start: index, end: index + 1 });
    } else if (inside && line.kind === "key") found.at(-1)!.end = index + 1;
  }
  return found;
}

const lines = (text: string) => text.split("\n");
const isComment = (line: string) => /^\s*[#;]/.test(line);

function parseLine(text: string): Line {
  const line = text.trim();
  if (line === "" || isComment(line)) return { kind: "other" };
  const header = /^\[(.*)\]$/.exec(line);
  if (header) return { kind: "header", name: header[1]!.trim() };
  const pair = /^([^=:]+)[=:](.*)$/s.exec(line);
  if (!pair) return { kind: "other" };
  return { kind: "key", key: pair[1]!.trim(), value: unquote(pair[2]!.trim()) };
}

/** Values may stand in quotes, as in the files of rclone's parser. */
function unquote(value: string): string {
  const quoted = /^("""|`|")(.*)\1$/s.exec(value);
  return quoted ? quoted[2]! : value;
}
