/** `npm run supabase`: writes the migrations of `supabase/` that follow from the sources of the packages. */
import { writeFileSync } from "node:fs";
import { installScript } from "@overcoat/sql";
import { rpcFunction } from "../apps/web/integrations/rpc.ts";
import { statements } from "../apps/web/integrations/statements.ts";
import { sources } from "../packages/cli/src/sql/sources.ts";

const heading = (what: string) => `-- ${what}. Made by \`npm run supabase\`.\n\n`;

/** What calls them holds the project's secret key: these tables hold what no user of an app may read at large. */
const rights = { roles: ["service_role"], denied: ["anon", "authenticated"] };

/** The text of each migration that is made, by its file's name. */
export const migrations: Readonly<Record<string, string>> = {
  "20260101000000_overcoat.sql":
    heading(
      "What `overcoat sql print --target supabase` prints: the wrappers, without where the SQL server is",
    ) + installScript(sources, "extension"),
  "20260101000002_functions.sql":
    heading("What the helpers of apps/web/integrations call, with the rights of the tables' owner") +
    Object.values(statements)
      .map((statement) => rpcFunction(statement, { schema: "public", tables: "services", ...rights }))
      .join("\n"),
};

if (import.meta.main)
  for (const [name, text] of Object.entries(migrations))
    writeFileSync(new URL(`../supabase/migrations/${name}`, import.meta.url), text);
