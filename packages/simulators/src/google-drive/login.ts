import type { Call, Operation, Reply } from "../drives/call.ts";
import { read } from "./body.ts";
import type { Tokens } from "./tokens.ts";

/** What accounts.google.com and oauth2.googleapis.com answer; undefined for any other call. */
export function loginOperation(call: Call, tokens: Tokens): Operation | undefined {
  const { method, path, query, origin } = call;
  const operation = (name: string, run: Operation["run"]): Operation => ({
    endpoint: `${method} ${name}`,
    run,
  });
  if (method === "GET" && /^\/o\/oauth2\/(v2\/)?auth$/.test(path))
    return operation("auth", () => tokens.authorize(query));
  if (method === "GET" && path === "/device")
    return operation("device", () => {
      const known = tokens.decide(query.get("user_code") ?? "", "approved");
      return {
        status: known ? 200 : 404,
        body: known ? "You are signed in.\n" : "The code is not known.\n",
      };
    });
  const answers: Record<string, (form: URLSearchParams) => Reply> = {
    "/token": (form) => tokens.token(form),
    "/device/code": (form) => tokens.device(form, origin),
    "/revoke": (form) => tokens.revokeToken(form.get("token") ?? ""),
  };
  const answer = Object.hasOwn(answers, path) ? answers[path] : undefined;
  if (!answer || method !== "POST") return undefined;
  return operation(path.slice(1), async () => {
    const form = new URLSearchParams((await read(call)).toString());
    const given = query.get("token");
    if (given !== null) form.set("token", given);
    // Clients may also send their id and secret as basic authentication.
    const basic = /^Basic (.+)$/i.exec(call.headers.authorization ?? "")?.[1];
    if (basic) {
      const [id = "", secret = ""] = Buffer.from(basic, "base64").toString().split(":");
      form.set("client_id", decodeURIComponent(id));
      form.set("client_secret", decodeURIComponent(secret));
    }
    return { ...answer(form), headers: { "cache-control": "no-store" } };
  });
}
