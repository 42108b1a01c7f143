import { ApiError, invalidBody, invalidQuery } from "../errors.ts";
import { checkpoint, checkpointQuery, page, pageQuery } from "../paging.ts";
import { type Call, created, type Item, noContent, ok, type Route } from "../route.ts";
import { find } from "../tenant.ts";
import { briefly } from "./roles.ts";
import { names } from "./user-access.ts";

const writable = new Set(["name", "display_name", "branding", "metadata", "enabled_connections"]);
const sortable = new Set(["name", "display_name", "created_at"]);

export const organizations: readonly Route[] = [
  {
    method: "GET",
    path: "/organizations",
    scopes: ["read:organizations"],
    query: [...pageQuery, ...checkpointQuery, "sort"],
    run: (call) => {
      const found = sorted([...call.tenant.organizations.values()], call.query.get("sort"));
      return ok(checkpoint(call, "organizations", found, ({ id }) => id));
    },
  },
  {
    method: "POST",
    path: "/organizations",
    scopes: ["create:organizations"],
    run: ({ tenant, body }) => {
      check(body);
      if (typeof body.name !== "string") throw invalidBody("Missing required property: name");
      if ([...tenant.organizations.values()].some(({ name }) => name === body.name))
        throw new ApiError(409, "An organization with this name already exists.", "organization_conflict");
      return created(tenant.addOrganization(body));
    },
  },
  {
    method: "GET",
    path: "/organizations/name/:name",
    scopes: ["read:organizations"],
    run: ({ tenant, params }) => {
      const found = [...tenant.organizations.values()].find(({ name }) => name === params.name);
      if (!found)
        throw new ApiError(404, "No organization found by that id or name", "inexistent_organization");
      return ok(found);
    },
  },
  {
    method: "GET",
    path: "/organizations/:id",
    scopes: ["read:organizations"],
    run: (call) => ok(organization(call)),
  },
  {
    method: "PATCH",
    path: "/organizations/:id",
    scopes: ["update:organizations"],
    run: (call) => {
      const changed = { ...organization(call), ...check(call.body) };
      call.tenant.organizations.set(call.params.id!, changed);
      return ok(changed);
    },
  },
  {
    method: "DELETE",
    path: "/organizations/:id",
    scopes: ["delete:organizations"],
    run: (call) => {
      organization(call);
      call.tenant.organizations.delete(call.params.id!);
      call.tenant.members.delete(call.params.id!);
      return noContent();
    },
  },
  {
    method: "GET",
    path: "/organizations/:id/members",
    scopes: ["read:organization_members"],
    query: [...pageQuery, ...checkpointQuery, "fields", "include_fields"],
    run: (call) => {
      const fields = call.query.get("fields")?.split(",") ?? [];
      const members = [...membersOf(call)].flatMap(([id, held]): Item[] => {
        const user = briefly(call.tenant, id);
        if (!user) return [];
        // Roles come only where they are asked for by name.
        return fields.includes("roles") ? [{ ...user, roles: rolesOf(call, held) }] : [user];
      });
      return ok(checkpoint(call, "members", members, ({ user_id }) => user_id));
    },
  },
  {
    method: "POST",
    path: "/organizations/:id/members",
    scopes: ["create:organization_members"],
    run: (call) => {
      const members = membersOf(call);
      const added = names(call, "members");
      for (const id of added) call.tenant.user(id);
      for (const id of added) if (!members.has(id)) members.set(id, new Set());
      return noContent();
    },
  },
  {
    method: "DELETE",
    path: "/organizations/:id/members",
    scopes: ["delete:organization_members"],
    run: (call) => {
      const members = membersOf(call);
      for (const id of names(call, "members")) members.delete(id);
      return noContent();
    },
  },
  {
    method: "GET",
    path: "/organizations/:id/members/:user/roles",
    scopes: ["read:organization_member_roles"],
    query: pageQuery,
    run: (call) => ok(page(call, "roles", rolesOf(call, held(call)))),
  },
  {
    method: "POST",
    path: "/organizations/:id/members/:user/roles",
    scopes: ["create:organization_member_roles"],
    run: (call) => {
      const roles = held(call);
      const added = names(call, "roles");
      for (const id of added) find(call.tenant.roles, id, "role");
      for (const id of added) roles.add(id);
      return noContent();
    },
  },
  {
    method: "DELETE",
    path: "/organizations/:id/members/:user/roles",
    scopes: ["delete:organization_member_roles"],
    run: (call) => {
      for (const id of names(call, "roles")) held(call).delete(id);
      return noContent();
    },
  },
];

const organization = ({ tenant, params }: Call) => find(tenant.organizations, params.id!, "organization");

function membersOf(call: Call): Map<string, Set<string>> {
  organization(call);
  return call.tenant.members.get(call.params.id!)!;
}

function held(call: Call): Set<string> {
  const roles = membersOf(call).get(call.params.user!);
  if (!roles) throw new ApiError(404, "The user is not a member of this organization.", "inexistent_member");
  return roles;
}

const rolesOf = (call: Call, held: ReadonlySet<string>): Item[] =>
  [...held].map((id) => {
    const { name, description } = call.tenant.roles.get(id)!;
    return { id, name, description };
  });

function sorted(items: Item[], sort: string | null): Item[] {
  if (!sort) return items;
  const [field = "", order] = sort.split(":");
  if (!sortable.has(field) || (order !== "1" && order !== "-1"))
    throw invalidQuery(`Sorting by ${sort} is not supported`);
  const key = (item: Item) => String(item[field] ?? "");
  return items.sort(
    (one, other) => (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : 0) * Number(order),
  );
}

function check(body: Item): Item {
  for (const name of Object.keys(body))
    if (!writable.has(name)) throw invalidBody(`Additional properties not allowed: ${name}`);
  if (typeof body.name === "string" && !/^[a-z0-9][a-z0-9_-]{0,49}$/.test(body.name))
    throw invalidBody(`String does not match pattern for an organization's name: ${body.name}`);
  return body;
}
