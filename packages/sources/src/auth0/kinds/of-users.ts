import type { Api, Item } from "../api.ts";
import { byId, checkpoints, encoded, mostPaged, paged, within } from "../read/lists.ts";
import { equalTo, type Reading, type ReadRequest } from "../read/request.ts";
import { searched } from "../read/search.ts";
import { jsonb, type Kind, text, timestamptz } from "./kind.ts";
import { userList, userPath } from "./users.ts";

/** The ids of all users, for what Auth0 shows only user by user. */
const everyUser = (api: Api): Reading =>
  searched(userList, { api, conditions: [], fields: ["user_id"], sort: undefined, limit: undefined });

/** What belongs to users, read user by user: for these ids, else for all. */
function byUser(
  request: ReadRequest,
  list: string,
  read: (user: string, signal: AbortSignal) => AsyncIterable<readonly Item[]>,
): Reading {
  const ids = equalTo(request, "user_id");
  const everyone = everyUser(request.api);
  const count = ids?.count ?? everyone.rows;
  return {
    rows: count,
    calls: count + (ids ? 0 : everyone.calls),
    requests: ids
      ? ids.values.map((id) => `GET ${list.replace("{id}", encoded(id))}`)
      : [...everyone.requests, `GET ${list} for each`],
    async *pages(signal) {
      if (ids) for (const id of ids.values.filter(Boolean)) yield* read(id, signal);
      else yield* within(everyone.pages(signal), ({ user_id }) => read(String(user_id), signal));
    },
  };
}

const sessionPath = (id: string) => `/sessions/${encoded(id)}`;

export const sessions: Kind = {
  name: "sessions",
  attributes: {
    id: text,
    user_id: text,
    created_at: timestamptz,
    updated_at: timestamptz,
    authenticated_at: timestamptz,
    idle_expires_at: timestamptz,
    expires_at: timestamptz,
    last_interacted_at: timestamptz,
    device: jsonb,
    clients: jsonb,
    authentication: jsonb,
    cookie: jsonb,
    session_metadata: jsonb,
  },
  key: ["id"],
  read(request) {
    const ids = equalTo(request, "id");
    if (ids) return byId(request.api, ids, sessionPath);
    return byUser(request, "/users/{id}/sessions", (user, signal) =>
      checkpoints(request.api, `${userPath(user)}/sessions`, "sessions", {}, signal),
    );
  },
  async find(api, [id = ""], signal) {
    return id ? ((await api.find(sessionPath(id), {}, signal)) as Item | undefined) : undefined;
  },
  writable: new Set(["session_metadata"]),
  async update(api, [id = ""], values, _before, signal) {
    await api.send("PATCH", sessionPath(id), values, signal);
  },
  async delete(api, [id = ""], signal) {
    await api.send("DELETE", sessionPath(id), undefined, signal);
  },
};

export const grants: Kind = {
  name: "grants",
  attributes: {
    id: text,
    clientID: text,
    user_id: text,
    audience: text,
    scope: jsonb,
    organization_id: text,
  },
  key: ["id"],
  read(request) {
    const { api } = request;
    const narrowed: Record<string, string> = {};
    for (const [attribute, parameter] of [
      ["clientID", "client_id"],
      ["audience", "audience"],
    ] as const) {
      const [value, ...others] = equalTo(request, attribute)?.values ?? [];
      if (value && others.length === 0) narrowed[parameter] = value;
    }
    const list = (user_id: string, signal: AbortSignal) =>
      paged(api, "/grants", "grants", { ...narrowed, user_id }, signal);
    const users = byUser(request, "/grants?user_id={id}", list);
    if (equalTo(request, "user_id")) return users;
    return {
      rows: mostPaged,
      calls: 10,
      requests: [`GET /grants${narrowed.client_id ? `?client_id=${narrowed.client_id}` : ""}`],
      async *pages(signal) {
        // Pages end after 1,000 grants: where there are more, they are read user by user.
        const answer = await api.get("/grants", { ...narrowed, per_page: 1, include_totals: true }, signal);
        const { total = 0 } = (answer ?? {}) as { total?: number };
        if (total > mostPaged) yield* users.pages(signal);
        else yield* paged(api, "/grants", "grants", narrowed, signal);
      },
    };
  },
  async delete(api, [id = ""], signal) {
    await api.send("DELETE", `/grants/${encoded(id)}`, undefined, signal);
  },
};
