import { csvOf } from "@/lib/server/sql/csv";
import { sqlRoute } from "@/lib/server/sql/route";

export const POST = sqlRoute(
  async ({ text }, signal) =>
    new Response(await csvOf(text, signal), {
      headers: {
        "content-type": "text/csv; charset=utf-8",
        "content-disposition": 'attachment; filename="result.csv"',
        "cache-control": "no-store",
      },
    }),
);
