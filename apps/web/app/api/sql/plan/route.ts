import { measureSql } from "@/lib/server/sql/plan";
import { sqlRoute } from "@/lib/server/sql/route";

export const POST = sqlRoute(async ({ text }, signal) => Response.json(await measureSql(text, signal)));
