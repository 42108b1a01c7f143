import type { OptionDescriptions, Source } from "@overcoat/sources";
import { literal } from "./quote.ts";
import { stockFunction } from "./stock-function.ts";
import { isStockOption } from "./stock-options.ts";

/** How the database finds postgres_fdw: in its library (`LANGUAGE c`, superusers only) or as an extension. */
export type Handler = "library" | "extension";

/** What `overcoat.<name>_fdw_options()` returns: by level, the options that are known and what each stands for. */
interface KnownOptions {
  readonly server: Readonly<Record<string, string>>;
  readonly user: Readonly<Record<string, string>>;
  readonly table: Readonly<Record<string, string>>;
  readonly column: Readonly<Record<string, string>>;
  /** The option that `secret 'NAME'` stands for. */
  readonly secret: string;
}

/**
 * The SQL that makes a source's wrapper, `<name>_fdw`; it needs the SQL of `overcoat` before it. It may be run
 * again, to bring an older one up to date.
 */
export function wrapperScript(source: Source, handler: Handler): string {
  const wrapper = `${source.name}_fdw`;
  const handlerFunction = `overcoat.${wrapper}_handler`;
  const validator = `overcoat.${wrapper}_validator`;
  return `${
    handler === "library"
      ? `CREATE OR REPLACE FUNCTION ${handlerFunction}() RETURNS fdw_handler
LANGUAGE c STRICT AS '$libdir/postgres_fdw', 'postgres_fdw_handler';

`
      : ""
  }CREATE OR REPLACE FUNCTION overcoat.${wrapper}_options() RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS ${literal(`SELECT ${literal(JSON.stringify(knownOptions(source)))}::jsonb`)};

CREATE OR REPLACE FUNCTION ${validator}(options text[], catalog oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM overcoat.validate(options, catalog, '${wrapper}', overcoat.${wrapper}_options());
END
$$;
GRANT EXECUTE ON FUNCTION overcoat.${wrapper}_options, ${validator} TO PUBLIC;

DO $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_catalog.pg_foreign_data_wrapper
    WHERE fdwname = '${wrapper}' AND fdwvalidator = '${validator}'::pg_catalog.regproc
  ) THEN
    ${
      handler === "library"
        ? `CREATE FOREIGN DATA WRAPPER ${wrapper} HANDLER ${handlerFunction} VALIDATOR ${validator};`
        : `EXECUTE pg_catalog.format(
      'CREATE FOREIGN DATA WRAPPER ${wrapper} HANDLER %s VALIDATOR ${validator}',
      ${stockFunction("fdwhandler")});`
    }
  END IF;
END
$$;
`;
}

function knownOptions(source: Source): KnownOptions {
  const { server, user, table, column } = source.options;
  const secret = { secret: "secret" };
  return {
    server: { ...names(source, server), ...secret },
    user: { ...names(source, user), ...secret },
    table: names(source, table),
    column: names(source, column),
    secret: source.secretOption,
  };
}

function names(source: Source, descriptions: OptionDescriptions): Record<string, string> {
  const clash = Object.keys(descriptions).find(isStockOption);
  if (clash !== undefined)
    throw new Error(`Source ${source.name}: the option "${clash}" has a meaning of its own in postgres_fdw`);
  return Object.fromEntries(
    Object.entries(descriptions).map(([name, { synonymOf }]) => [name, synonymOf ?? name]),
  );
}
