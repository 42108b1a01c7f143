import { readdirSync, readFileSync } from "node:fs";
import type { Source } from "@overcoat/sources";
import { serverDefaults } from "./server-defaults.ts";
import { stockFunction } from "./stock-function.ts";
import { type Handler, wrapperScript } from "./wrapper.ts";

/** The extensions' version, and those that can be updated to it: by the same script, which may be run again. */
export interface Versions {
  readonly version: string;
  readonly older: readonly string[];
}

/** A version on the way to the same version again: an update there and back runs the script as it is now. */
export const renewed = "renewed";

/** A file for the folder in which CREATE EXTENSION looks. */
export interface ExtensionFile {
  readonly name: string;
  readonly text: string;
}

/**
 * Of functions that run with the rights of their owner: nothing that a session may set changes what they do, or
 * shows their statements, which hold the login.
 */
const guarded = Object.entries({
  search_path: "pg_catalog, pg_temp",
  standard_conforming_strings: "on",
  quote_all_identifiers: "off",
  debug_print_parse: "off",
  debug_print_rewritten: "off",
  debug_print_plan: "off",
})
  .map(([name, value]) => `SET ${name} = ${value}`)
  .join(" ");

const folder = new URL("sql/", import.meta.url);

/**
 * The SQL of `overcoat`: the settings, the linker with its event triggers, `overcoat.relink()` and
 * `overcoat.explain(text)`.
 */
export function overcoatScript(handler: Handler): string {
  const [settings, ...parts] = readdirSync(folder)
    .sort()
    .map((name) => readFileSync(new URL(name, folder), "utf8"));
  return [settings, stockValidator(handler), ...parts]
    .join("\n")
    .replace("@defaults@", JSON.stringify(serverDefaults))
    .replaceAll("@guarded@", guarded);
}

/** postgres_fdw's own validator; it knows the options of its version and who may set them. */
function stockValidator(handler: Handler): string {
  if (handler === "library")
    return `CREATE OR REPLACE FUNCTION overcoat.stock_validator(text[], oid) RETURNS void
LANGUAGE c STRICT AS '$libdir/postgres_fdw', 'postgres_fdw_validator';
`;
  return `DO $$
BEGIN
  EXECUTE pg_catalog.format(
    'CREATE OR REPLACE FUNCTION overcoat.stock_validator(text[], oid) RETURNS void LANGUAGE sql '
    'SET search_path = pg_catalog, pg_temp AS ''SELECT %s($1, $2)''',
    ${stockFunction("fdwvalidator")});
END
$$;
`;
}

/** Of those that the files make, `overcoat` first. */
export const extensionNames = (files: readonly ExtensionFile[]): string[] =>
  files.flatMap(({ name }) => (name.endsWith(".control") ? [name.slice(0, -".control".length)] : []));

/** Control files and scripts of the extension `overcoat` and one `<name>_wrapper` a source. */
export function extensionFiles(
  sources: readonly Source[],
  { version, older }: Versions = { version: "1.0", older: [] },
): readonly ExtensionFile[] {
  return [
    extension("overcoat", "SQL on services that are no databases: the linker", overcoatScript("library")),
    ...sources.map((source) =>
      extension(
        `${source.name}_wrapper`,
        `foreign data wrapper ${source.name}_fdw`,
        wrapperScript(source, "library"),
        "overcoat",
      ),
    ),
  ].flat();

  function extension(name: string, comment: string, script: string, requires?: string): ExtensionFile[] {
    const control = {
      comment,
      default_version: version,
      relocatable: "false",
      // Its objects are all in a schema of its own.
      schema: "pg_catalog",
      ...(requires !== undefined && { requires }),
    };
    const text = `\\echo Use "CREATE EXTENSION ${name}" to load this file. \\quit\n${script}`;
    return [
      {
        name: `${name}.control`,
        text: Object.entries(control)
          .map(([key, value]) => `${key} = '${value}'\n`)
          .join(""),
      },
      { name: `${name}--${version}.sql`, text },
      ...older.map((from) => ({ name: `${name}--${from}--${version}.sql`, text })),
      { name: `${name}--${version}--${renewed}.sql`, text },
      { name: `${name}--${renewed}--${version}.sql`, text: "-- All was done before.\n" },
    ];
  }
}
