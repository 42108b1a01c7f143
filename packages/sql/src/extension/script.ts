import type { Source } from "@overcoat/sources";
import { overcoatScript } from "./extension.ts";
import type { Handler } from "./wrapper.ts";
import { wrapperScript } from "./wrapper.ts";

/**
 * All that the extensions hold as one script, for a database whose extension folder is out of reach. It may be
 * run again.
 *
 * @param handler `library` for a superuser; `extension` where `CREATE EXTENSION postgres_fdw` is allowed and
 * LANGUAGE c is not, as on Supabase.
 */
export function installScript(sources: readonly Source[], handler: Handler): string {
  return [
    ...(handler === "extension" ? ["CREATE EXTENSION IF NOT EXISTS postgres_fdw;\n"] : []),
    overcoatScript(handler),
    ...sources.map((source) => wrapperScript(source, handler)),
  ].join("\n");
}
