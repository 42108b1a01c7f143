import { ApiError, invalidBody } from "../errors.ts";
import { checkpoint, checkpointQuery, flag, pageQuery, select } from "../paging.ts";
import { type Call, created, type Item, noContent, ok, type Route } from "../route.ts";

export const clients: readonly Route[] = [
  {
    method: "GET",
    path: "/clients",
    scopes: ["read:clients", "read:client_summary"],
    query: [
      ...pageQuery,
      ...checkpointQuery,
      "fields",
      "include_fields",
      "is_global",
      "is_first_party",
      "app_type",
    ],
    run: (call) => {
      const types = call.query.get("app_type")?.split(",");
      const found = [...call.tenant.clients.values()].filter(
        (client) =>
          (!types || types.includes(String(client.app_type))) &&
          (["is_global", "is_first_party"] as const).every(
            (name) =>
              !call.query.has(name) ||
              Boolean(client[name === "is_global" ? "global" : name]) === flag(call, name, false),
          ),
      );
      return ok(
        checkpoint(
          call,
          "clients",
          found.map((client) => shown(call, client)),
          ({ client_id }) => client_id,
        ),
      );
    },
  },
  {
    method: "POST",
    path: "/clients",
    scopes: ["create:clients"],
    run: ({ tenant, body }) => {
      if (typeof body.name !== "string") throw invalidBody("Missing required property: name");
      return created(tenant.addClient(body));
    },
  },
  {
    method: "GET",
    path: "/clients/:id",
    scopes: ["read:clients", "read:client_summary"],
    query: ["fields", "include_fields"],
    run: (call) => ok(select(call, [shown(call, client(call))])[0]),
  },
  {
    method: "PATCH",
    path: "/clients/:id",
    scopes: ["update:clients"],
    run: (call) => {
      const changed = { ...client(call), ...call.body };
      call.tenant.clients.set(call.params.id!, changed);
      return ok(shown(call, changed));
    },
  },
  {
    method: "DELETE",
    path: "/clients/:id",
    scopes: ["delete:clients"],
    run: ({ tenant, params }) => {
      tenant.clients.delete(params.id!);
      return noContent();
    },
  },
];

function client({ tenant, params }: Call): Item {
  const found = tenant.clients.get(params.id!);
  if (!found) throw new ApiError(404, "The client does not exist", "inexistent_client");
  return found;
}

/** The secret shows only to those who may read keys. */
function shown({ scopes }: Call, { client_secret, ...client }: Item): Item {
  return scopes.has("read:client_keys") ? { ...client, client_secret } : client;
}
