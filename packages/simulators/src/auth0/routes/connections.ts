import { ApiError, invalidBody } from "../errors.ts";
import { checkpoint, checkpointQuery, pageQuery, select } from "../paging.ts";
import { type Call, created, noContent, ok, type Route } from "../route.ts";
import { find } from "../tenant.ts";

export const connections: readonly Route[] = [
  {
    method: "GET",
    path: "/connections",
    scopes: ["read:connections"],
    query: [...pageQuery, ...checkpointQuery, "strategy", "name", "fields", "include_fields"],
    run: (call) => {
      const strategies = call.query.getAll("strategy");
      const name = call.query.get("name");
      const found = [...call.tenant.connections.values()].filter(
        (connection) =>
          (strategies.length === 0 || strategies.includes(String(connection.strategy))) &&
          (name === null || connection.name === name),
      );
      return ok(checkpoint(call, "connections", found, ({ id }) => id));
    },
  },
  {
    method: "POST",
    path: "/connections",
    scopes: ["create:connections"],
    run: ({ tenant, body }) => {
      for (const name of ["name", "strategy"])
        if (typeof body[name] !== "string") throw invalidBody(`Missing required property: ${name}`);
      if ([...tenant.connections.values()].some(({ name }) => name === body.name))
        throw new ApiError(409, "A connection with the same name already exists", "connection_conflict");
      return created(tenant.addConnection(body));
    },
  },
  {
    method: "GET",
    path: "/connections/:id",
    scopes: ["read:connections"],
    query: ["fields", "include_fields"],
    run: (call) => ok(select(call, [connection(call)])[0]),
  },
  {
    method: "PATCH",
    path: "/connections/:id",
    scopes: ["update:connections"],
    run: (call) => {
      const { name, strategy } = call.body;
      if (name !== undefined || strategy !== undefined)
        throw invalidBody(`Additional properties not allowed: ${name === undefined ? "strategy" : "name"}`);
      const changed = { ...connection(call), ...call.body };
      call.tenant.connections.set(call.params.id!, changed);
      return ok(changed);
    },
  },
  {
    method: "DELETE",
    path: "/connections/:id",
    scopes: ["delete:connections"],
    run: ({ tenant, params }) => {
      tenant.connections.delete(params.id!);
      return noContent();
    },
  },
];

const connection = ({ tenant, params }: Call) => find(tenant.connections, params.id!, "connection");
