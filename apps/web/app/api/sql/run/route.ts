import { sqlRoute } from "@/lib/server/sql/route";
import { runSql } from "@/lib/server/sql/run";

export const POST = sqlRoute(async ({ text, role }, signal) =>
  Response.json(await runSql(text, role, signal)),
);
