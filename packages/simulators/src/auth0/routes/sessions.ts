import { ApiError, invalidBody } from "../errors.ts";
import { checkpoint, checkpointQuery } from "../paging.ts";
import { type Call, type Item, ok, type Route } from "../route.ts";
import { now } from "../tenant.ts";

export const sessions: readonly Route[] = [
  {
    method: "GET",
    path: "/users/:id/sessions",
    scopes: ["read:sessions"],
    query: ["include_totals", ...checkpointQuery],
    run: (call) => {
      const { tenant, params } = call;
      tenant.user(params.id!);
      const own = [...tenant.sessions.values()].filter(({ user_id }) => user_id === params.id);
      // Sessions are always read from checkpoints.
      if (!call.query.has("take")) call.query.set("take", "50");
      return ok(checkpoint(call, "sessions", own, ({ id }) => id));
    },
  },
  {
    method: "DELETE",
    path: "/users/:id/sessions",
    scopes: ["delete:sessions"],
    run: ({ tenant, params }) => {
      for (const [id, { user_id }] of tenant.sessions) if (user_id === params.id) tenant.sessions.delete(id);
      return { status: 202 };
    },
  },
  {
    method: "GET",
    path: "/sessions/:id",
    scopes: ["read:sessions"],
    run: (call) => ok(session(call)),
  },
  {
    method: "PATCH",
    path: "/sessions/:id",
    scopes: ["update:sessions"],
    run: (call) => {
      for (const name of Object.keys(call.body))
        if (name !== "session_metadata") throw invalidBody(`Additional properties not allowed: ${name}`);
      const changed = { ...session(call), ...call.body, updated_at: now() };
      call.tenant.sessions.set(call.params.id!, changed);
      return ok(changed);
    },
  },
  ...(["DELETE", "POST"] as const).map(
    (method): Route => ({
      method,
      path: method === "DELETE" ? "/sessions/:id" : "/sessions/:id/revoke",
      scopes: ["delete:sessions"],
      run: ({ tenant, params }) => {
        tenant.sessions.delete(params.id!);
        return { status: 202 };
      },
    }),
  ),
];

function session({ tenant, params }: Call): Item {
  const found = tenant.sessions.get(params.id!);
  if (!found) throw new ApiError(404, "The session does not exist.", "inexistent_session");
  return found;
}
