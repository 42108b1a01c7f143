import type { Source } from "@overcoat/sources";
import { overcoatScript } from "./extension.ts";
import { identifier, literal } from "./quote.ts";
import { serverDefaults } from "./server-defaults.ts";
import { type Handler, wrapperScript } from "./wrapper.ts";

/** Where the SQL server is and a login that it knows, by the names of libpq's options. */
export type ScriptSettings = Readonly<Record<string, string | number>>;

/**
 * All that the extensions hold as one script, for a database whose extension folder is out of reach. It may be
 * run again.
 *
 * @param handler `library` for a superuser; `extension` where `CREATE EXTENSION postgres_fdw` is allowed and
 * LANGUAGE c is not, as on Supabase.
 * @param settings left out, those that the database has are kept
 */
export function installScript(
  sources: readonly Source[],
  handler: Handler,
  settings?: ScriptSettings,
): string {
  return [
    ...(handler === "extension" ? ["CREATE EXTENSION IF NOT EXISTS postgres_fdw;\n"] : []),
    overcoatScript(handler),
    ...sources.map((source) => wrapperScript(source, handler)),
    ...(settings ? [settingsScript(settings)] : []),
  ].join("\n");
}

function settingsScript(settings: ScriptSettings): string {
  const rows = Object.entries(settings).map(
    ([name, value]) => `  (${literal(name)}, ${literal(String(value))})`,
  );
  return `DELETE FROM overcoat.settings;
INSERT INTO overcoat.settings VALUES
${rows.join(",\n")};
SELECT overcoat.relink();
`;
}

/**
 * A script that makes a server and a mapping of stock postgres_fdw for a source, where no foreign data wrapper can
 * be made. Its tables are imported, or carry in `table_name` what the linker would write there.
 */
export function plainScript(
  source: Source,
  options: Readonly<Record<string, string>>,
  settings: ScriptSettings,
): string {
  const { user, password, ...address } = settings;
  const name = `${source.name}_server`;
  const link = JSON.stringify({ wrapper: `${source.name}_fdw`, server: name, options });
  return `CREATE EXTENSION IF NOT EXISTS postgres_fdw;

CREATE SERVER ${identifier(name)} FOREIGN DATA WRAPPER postgres_fdw OPTIONS (
${optionList({ ...address, ...serverDefaults, options: `-c overcoat.link=${link.replace(/[ \\]/g, "\\$&")}` })}
);
CREATE USER MAPPING FOR PUBLIC SERVER ${identifier(name)} OPTIONS (
${optionList({ user: user ?? "", password: password ?? "" })}
);
`;
}

const optionList = (options: ScriptSettings) =>
  Object.entries(options)
    .map(([name, value]) => `  ${identifier(name)} ${literal(String(value))}`)
    .join(",\n");
