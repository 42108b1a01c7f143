import { activity } from "@/lib/server/activity/history";
import { requireSession } from "@/lib/server/session";

/** What happened after the time in `after`. */
export async function GET(request: Request): Promise<Response> {
  await requireSession();
  const after = Number(new URL(request.url).searchParams.get("after")) || 0;
  return Response.json(activity(after), { headers: { "cache-control": "no-store" } });
}
