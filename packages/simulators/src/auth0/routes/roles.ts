import { ApiError, invalidBody } from "../errors.ts";
import { checkpoint, checkpointQuery, page, pageQuery } from "../paging.ts";
import { type Call, type Item, ok, type Route } from "../route.ts";
import { find, type Tenant } from "../tenant.ts";
import { names } from "./user-access.ts";

export const roles: readonly Route[] = [
  {
    method: "GET",
    path: "/roles",
    scopes: ["read:roles"],
    query: [...pageQuery, "name_filter", "type"],
    run: (call) => {
      const filter = call.query.get("name_filter")?.toLowerCase() ?? "";
      const found = [...call.tenant.roles.values()].filter(({ name }) =>
        String(name).toLowerCase().includes(filter),
      );
      return ok(page(call, "roles", found));
    },
  },
  {
    method: "POST",
    path: "/roles",
    scopes: ["create:roles"],
    run: ({ tenant, body }) => {
      const { name } = check(body);
      if (name === undefined) throw invalidBody("Missing required property: name");
      if ([...tenant.roles.values()].some((role) => role.name === name))
        throw new ApiError(409, `A role with the name ${name} already exists.`, "role_conflict");
      return ok(tenant.addRole(body));
    },
  },
  {
    method: "GET",
    path: "/roles/:id",
    scopes: ["read:roles"],
    run: (call) => ok(role(call)),
  },
  {
    method: "PATCH",
    path: "/roles/:id",
    scopes: ["update:roles"],
    run: (call) => {
      const changed = { ...role(call), ...check(call.body) };
      call.tenant.roles.set(call.params.id!, changed);
      return ok(changed);
    },
  },
  {
    method: "DELETE",
    path: "/roles/:id",
    scopes: ["delete:roles"],
    run: (call) => {
      role(call);
      const { tenant, params } = call;
      for (const items of [tenant.roles, tenant.roleUsers, tenant.rolePermissions]) items.delete(params.id!);
      for (const members of tenant.members.values())
        for (const held of members.values()) held.delete(params.id!);
      return { status: 200 };
    },
  },
  {
    method: "GET",
    path: "/roles/:id/permissions",
    scopes: ["read:roles"],
    query: pageQuery,
    run: (call) => {
      role(call);
      return ok(page(call, "permissions", call.tenant.rolePermissions.get(call.params.id!)!));
    },
  },
  {
    method: "POST",
    path: "/roles/:id/permissions",
    scopes: ["update:roles"],
    run: (call) => {
      role(call);
      const { permissions } = call.body;
      if (!Array.isArray(permissions)) throw invalidBody("Missing required property: permissions");
      call.tenant.rolePermissions.get(call.params.id!)!.push(...(permissions as Item[]));
      return { status: 201 };
    },
  },
  {
    method: "GET",
    path: "/roles/:id/users",
    scopes: ["read:users", "read:roles", "read:role_members"],
    query: [...pageQuery, ...checkpointQuery],
    run: (call) => {
      role(call);
      const assigned = [...call.tenant.roleUsers.get(call.params.id!)!];
      const users = assigned.map((id) => briefly(call.tenant, id)).filter((user) => user !== undefined);
      return ok(checkpoint(call, "users", users, ({ user_id }) => user_id));
    },
  },
  {
    method: "POST",
    path: "/roles/:id/users",
    scopes: ["create:role_members"],
    run: (call) => {
      role(call);
      const users = names(call, "users");
      for (const id of users) call.tenant.user(id);
      for (const id of users) call.tenant.roleUsers.get(call.params.id!)!.add(id);
      return { status: 200 };
    },
  },
];

/** What lists of members tell about a user; undefined for one that is not there. */
export function briefly(tenant: Tenant, id: string): Item | undefined {
  const user = tenant.users.get(id);
  if (!user) return undefined;
  const { user_id, email, name, picture } = user;
  return { user_id, email, name, picture };
}

const role = ({ tenant, params }: Call) => find(tenant.roles, params.id!, "role");

function check(body: Item): Item {
  for (const [name, value] of Object.entries(body)) {
    if (name !== "name" && name !== "description")
      throw invalidBody(`Additional properties not allowed: ${name}`);
    if (typeof value !== "string" || value === "")
      throw invalidBody(`Expected type string but found type ${typeof value}' on property '${name}`);
  }
  return body;
}
