import type { LinkSettings } from "@overcoat/postgres";
import { plainScript } from "@overcoat/sql";
import { UsageError } from "../errors.ts";
import { sources } from "./sources.ts";

const tables = `
-- Its tables, where the service can tell them:
--   IMPORT FOREIGN SCHEMA … FROM SERVER … INTO public;
-- or one by one, with the table's options and columns in table_name:
--   CREATE FOREIGN TABLE redis_sessions (session_id text COLLATE "C", payload jsonb) SERVER redis_server OPTIONS (
--     schema_name 'overcoat', table_name '{"table":"redis_sessions","options":{"key_prefix":"session:"},
--     "columns":[["session_id","text"],["payload","jsonb"]],"collation":"C"}');
`;

/** The script of `overcoat sql print --target plain`. */
export function plainScripts(
  flags: { readonly source?: readonly string[]; readonly option?: readonly string[] },
  link: LinkSettings | undefined,
): string {
  if (!link)
    throw new UsageError(
      "no login of the SQL server is given: give --login USER,PASSWORD or set OVERCOAT_SQL_LOGIN",
    );
  const [name, ...more] = flags.source ?? [];
  const source = sources.find((one) => one.name === name);
  if (!source || more.length > 0)
    throw new UsageError(`--source: must be one of ${sources.map((one) => one.name).join(", ")}`);
  const known = { ...source.options.server, ...source.options.user, secret: true };
  const options = Object.fromEntries(
    (flags.option ?? []).map((text) => {
      const [, option = "", value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
      if (!Object.hasOwn(known, option))
        throw new UsageError(
          `--option: "${text}" must be NAME=VALUE with one of ${Object.keys(known).join(", ")}`,
        );
      return [option, value];
    }),
  );
  return plainScript(source, options, { ...link }) + tables;
}
