import { ApiError, invalidBody } from "../errors.ts";
import { page, pageQuery } from "../paging.ts";
import { type Call, type Item, noContent, ok, type Route } from "../route.ts";
import { find } from "../tenant.ts";

/** What a user may do: roles, permissions, organizations, and blocked logins. */
export const userAccess: readonly Route[] = [
  {
    method: "GET",
    path: "/users/:id/roles",
    scopes: ["read:users", "read:roles", "read:role_members"],
    query: pageQuery,
    run: (call) => {
      const { tenant, id } = ofUser(call);
      const roles = [...tenant.roles.values()].filter((role) =>
        tenant.roleUsers.get(String(role.id))?.has(id),
      );
      return ok(page(call, "roles", roles));
    },
  },
  {
    method: "POST",
    path: "/users/:id/roles",
    scopes: ["create:role_members"],
    run: (call) => {
      const { tenant, id } = ofUser(call);
      const roles = names(call, "roles");
      for (const role of roles) find(tenant.roles, role, "role");
      for (const role of roles) tenant.roleUsers.get(role)!.add(id);
      return noContent();
    },
  },
  {
    method: "DELETE",
    path: "/users/:id/roles",
    scopes: ["delete:role_members"],
    run: (call) => {
      const { tenant, id } = ofUser(call);
      for (const role of names(call, "roles")) tenant.roleUsers.get(role)?.delete(id);
      return noContent();
    },
  },
  {
    method: "GET",
    path: "/users/:id/permissions",
    scopes: ["read:users"],
    query: pageQuery,
    run: (call) => {
      const { tenant, id } = ofUser(call);
      const byRole = [...tenant.roles].flatMap(([role, { name }]) =>
        tenant.roleUsers.get(role)!.has(id)
          ? tenant.rolePermissions.get(role)!.map((permission) => ({
              ...permission,
              sources: [{ source_id: role, source_name: name, source_type: "ROLE" }],
            }))
          : [],
      );
      const direct = (tenant.userPermissions.get(id) ?? []).map((permission) => ({
        ...permission,
        sources: [{ source_id: "", source_name: "", source_type: "DIRECT" }],
      }));
      return ok(page(call, "permissions", [...direct, ...byRole]));
    },
  },
  {
    method: "POST",
    path: "/users/:id/permissions",
    scopes: ["update:users"],
    run: (call) => {
      const { tenant, id } = ofUser(call);
      const { permissions } = call.body;
      if (!Array.isArray(permissions)) throw invalidBody("Missing required property: permissions");
      tenant.userPermissions.set(id, [...(tenant.userPermissions.get(id) ?? []), ...(permissions as Item[])]);
      return { status: 201 };
    },
  },
  {
    method: "GET",
    path: "/users/:id/organizations",
    scopes: ["read:organizations"],
    query: pageQuery,
    run: (call) => {
      const { tenant, id } = ofUser(call);
      const organizations = [...tenant.organizations.values()].filter((organization) =>
        tenant.members.get(String(organization.id))?.has(id),
      );
      return ok(page(call, "organizations", organizations));
    },
  },
  {
    method: "GET",
    path: "/user-blocks/:id",
    scopes: ["read:users"],
    query: ["consider_brute_force_enablement"],
    run: (call) => {
      const { tenant, id } = ofUser(call);
      return ok({ blocked_for: blockedFor(tenant.user(id), tenant.blocks.get(id)) });
    },
  },
  {
    method: "DELETE",
    path: "/user-blocks/:id",
    scopes: ["update:users"],
    run: (call) => {
      const { tenant, id } = ofUser(call);
      tenant.blocks.delete(id);
      return noContent();
    },
  },
  {
    method: "GET",
    path: "/user-blocks",
    scopes: ["read:users"],
    query: ["identifier", "consider_brute_force_enablement"],
    run: (call) => {
      const user = identified(call);
      return ok({ blocked_for: blockedFor(user, call.tenant.blocks.get(String(user.user_id))) });
    },
  },
  {
    method: "DELETE",
    path: "/user-blocks",
    scopes: ["update:users"],
    query: ["identifier"],
    run: (call) => {
      call.tenant.blocks.delete(String(identified(call).user_id));
      return noContent();
    },
  },
];

const blockedFor = (user: Item, addresses: readonly string[] = []) =>
  addresses.map((ip) => ({ identifier: user.email ?? user.username, ip }));

function ofUser({ tenant, params }: Call) {
  const id = params.id!;
  tenant.user(id);
  return { tenant, id };
}

function identified({ tenant, query }: Call): Item {
  const identifier = query.get("identifier");
  const user = tenant.users
    .all()
    .find(({ email, username, phone_number }) => [email, username, phone_number].includes(identifier));
  if (!user) throw new ApiError(404, "The user does not exist.", "inexistent_user");
  return user;
}

/** A list of ids in the body. */
export function names({ body }: Call, property: string): string[] {
  const list = body[property];
  if (!Array.isArray(list) || list.length === 0) throw invalidBody(`Missing required property: ${property}`);
  return list.map(String);
}
