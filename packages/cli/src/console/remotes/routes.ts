import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { ConfigError, DriveError, splitRemote } from "@overcoat/drives";
import { z } from "zod";
import type { Answer } from "../../admin.ts";
import { RunError, UsageError } from "../../errors.ts";
import type { ConsoleRemotes } from "./remotes.ts";

/** What goes into a line of rclone.conf. */
const line = z
  .string()
  .regex(/^[\x21-\x7e]+$/, "must be one word of plain characters")
  .max(1000);
const start = z.strictObject({
  provider: z.string(),
  name: z
    .string()
    .max(100)
    .refine((name) => splitRemote(`${name}:`)?.name === name, "is made of letters, digits and _-.+@"),
  again: z.boolean(),
  clientId: line.optional(),
  clientSecret: line.optional(),
  redirect: z.url({ protocol: /^https?$/ }),
});
const finish = z.strictObject({ query: z.string().max(10_000) });
const choose = z.strictObject({ drive: z.string() });

const mostBody = 32 * 1024;

/**
 * What the console asks for, below `/-/remotes` and `/-/sign-ins`.
 * @param token what each request has to bear
 */
export function remotesRoutes(remotes: ConsoleRemotes, token: string) {
  const { signIns } = remotes;
  const run = async (route: string, id: string, body: unknown): Promise<object | undefined> => {
    switch (route) {
      case "GET remotes":
        return remotes.list();
      case "GET remotes/*":
        return remotes.look(id);
      case "POST remotes/*/serve":
        return remotes.serve(id);
      case "POST sign-ins":
        return signIns.start(start.parse(body));
      case "GET sign-ins/*":
        return signIns.get(id);
      case "POST sign-ins/*/answer":
        await signIns.finish(id, finish.parse(body).query);
        return signIns.get(id);
      case "POST sign-ins/*/drive":
        await signIns.choose(id, choose.parse(body).drive);
        return signIns.get(id);
    }
  };
  /** @returns undefined for what is none of this */
  return async (request: IncomingMessage): Promise<Answer | undefined> => {
    const [, part, kind = "", id, action] = (request.url ?? "").split("/");
    if (part !== "-" || (kind !== "remotes" && kind !== "sign-ins")) return undefined;
    if (!bears(request, token)) return { status: 401, json: { error: "the token is missing or wrong" } };
    try {
      const body = request.method === "POST" ? await readJson(request) : undefined;
      const route = [kind, ...(id === undefined ? [] : ["*"]), ...(action === undefined ? [] : [action])];
      const json = await run(`${request.method} ${route.join("/")}`, decodeURIComponent(id ?? ""), body);
      return json ? { status: 200, json } : { status: 404, json: { error: "there is no such thing" } };
    } catch (error) {
      const { status, message } = explain(error);
      return { status, json: { error: message } };
    }
  };
}

const digest = (text: string) => createHash("sha256").update(text).digest();

const bears = ({ headers }: IncomingMessage, token: string) =>
  timingSafeEqual(digest(headers.authorization ?? ""), digest(`Bearer ${token}`));

async function readJson(request: IncomingMessage): Promise<unknown> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) {
    body += chunk;
    if (body.length > mostBody) throw new UsageError("the request is too large");
  }
  return body === "" ? {} : JSON.parse(body);
}

function explain(error: unknown): { status: number; message: string } {
  if (error instanceof z.ZodError) {
    const [issue] = error.issues;
    return { status: 400, message: `${issue?.path.join(".")} ${issue?.message}` };
  }
  const expected = [UsageError, RunError, ConfigError, DriveError].some((one) => error instanceof one);
  return { status: expected ? 400 : 500, message: (error as Error).message };
}
