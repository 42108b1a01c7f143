import { z } from "zod";
import { messageOf } from "@/lib/server/checks";
import { requireSession } from "@/lib/server/session";
import { signUpload, uploadRequest } from "@/lib/server/storage/upload";

/** Signs one request of an upload, which the browser then sends to the gateway. 412: the name is taken. */
export async function POST(request: Request): Promise<Response> {
  await requireSession();
  const parsed = uploadRequest.safeParse(await request.json());
  if (!parsed.success) return refusal(400, z.prettifyError(parsed.error));
  try {
    const signed = await signUpload(parsed.data);
    if (!signed) return refusal(412, "there is an object of this name already");
    return Response.json(signed, { headers: { "cache-control": "no-store" } });
  } catch (error) {
    return refusal(422, messageOf(error));
  }
}

const refusal = (status: number, error: string) =>
  Response.json({ error }, { status, headers: { "cache-control": "no-store" } });
