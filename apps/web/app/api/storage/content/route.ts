import { z } from "zod";
import { messageOf } from "@/lib/server/checks";
import { requireSession } from "@/lib/server/session";
import { readingUrl } from "@/lib/server/storage/urls";

const schema = z.object({
  use: z.enum(["save", "show"]),
  bucket: z.string().min(1),
  key: z.string().min(1),
  version: z.string().optional(),
});

/** Leads to an object at the gateway, by a URL that is good for a minute. */
export async function GET(request: Request): Promise<Response> {
  await requireSession();
  const parsed = schema.safeParse(Object.fromEntries(new URL(request.url).searchParams));
  if (!parsed.success) return refusal(z.prettifyError(parsed.error));
  const { use, ...place } = parsed.data;
  try {
    const location = await readingUrl(place, 60, { isSaved: use === "save" });
    return new Response(null, { status: 307, headers: { location, "cache-control": "no-store" } });
  } catch (error) {
    return refusal(messageOf(error));
  }
}

const refusal = (text: string) => new Response(`${text}\n`, { status: 400 });
