import { z } from "zod";
import { messageOf } from "../checks.ts";
import { requireSession } from "../session";

const schema = z.object({
  text: z.string().min(1).max(1_000_000),
  role: z.enum(["reader", "owner"]).default("reader"),
});

export type SqlRequest = z.infer<typeof schema>;

/**
 * A route that takes a statement, as JSON or from a form. What PostgreSQL refuses is answered as status 422
 * `{ error, position? }`, position being a character of the text, from 1.
 */
export const sqlRoute =
  (answer: (asked: SqlRequest, signal: AbortSignal) => Promise<Response>) =>
  async (request: Request): Promise<Response> => {
    await requireSession();
    const isJson = request.headers.get("content-type")?.startsWith("application/json");
    const body: unknown = isJson ? await request.json() : Object.fromEntries(await request.formData());
    const parsed = schema.safeParse(body);
    if (!parsed.success) return refusal(400, z.prettifyError(parsed.error));
    try {
      return await answer(parsed.data, request.signal);
    } catch (error) {
      const position = Number((error as { position?: string }).position) || undefined;
      return refusal(422, messageOf(error), position);
    }
  };

const refusal = (status: number, error: string, position?: number) =>
  Response.json({ error, position }, { status, headers: { "cache-control": "no-store" } });
