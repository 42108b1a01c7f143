import type { Api, Item } from "../api.ts";
import { checkpoints, encoded, paged, within } from "../read/lists.ts";
import { equalTo, type Reading, type ReadRequest } from "../read/request.ts";
import { organizations, roles } from "./collections.ts";
import { jsonb, type Kind, text } from "./kind.ts";
import { userPath } from "./users.ts";

type Pages = AsyncIterable<readonly Item[]>;

/** A relation between users and groups of them: roles or organizations. */
interface Membership {
  readonly name: string;
  /** The attribute that holds the group's id. */
  readonly group: string;
  readonly groups: Kind;
  /** Of the list of a group's members, and in it. */
  readonly members: string;
  /** Parameters for the attributes asked for. */
  parameters(fields: readonly string[]): Record<string, string>;
  readonly attributes: Readonly<Record<string, string>>;
  /** Attributes that a group's list of members has and a user's list of groups has not. */
  complete(api: Api, member: Item, fields: readonly string[], signal: AbortSignal): Promise<Item>;
  add(api: Api, group: string, user: string, signal: AbortSignal): Promise<unknown>;
  remove(api: Api, group: string, user: string, signal: AbortSignal): Promise<unknown>;
}

function membership(definition: Membership): Kind {
  const { name, group, groups, members } = definition;
  const list = groups.name;
  const attributes = { [group]: text, user_id: text, ...definition.attributes };

  async function* ofGroup({ api, fields }: ReadRequest, id: string, signal: AbortSignal): Pages {
    const parameters = definition.parameters(fields ?? Object.keys(attributes));
    const path = `/${list}/${encoded(id)}/${members}`;
    for await (const items of checkpoints(api, path, members, parameters, signal))
      yield items.map((item) => ({ ...item, [group]: id }));
  }

  async function* ofUser({ api, fields }: ReadRequest, id: string, signal: AbortSignal): Pages {
    const needed = fields ?? Object.keys(attributes);
    for await (const items of paged(api, `${userPath(id)}/${list}`, list, {}, signal)) {
      const found: Item[] = [];
      for (const item of items)
        found.push(await definition.complete(api, { [group]: item.id, user_id: id }, needed, signal));
      yield found;
    }
  }

  function read(request: ReadRequest): Reading {
    const users = equalTo(request, "user_id");
    const ids = equalTo(request, group);
    const all = groups.read({
      ...request,
      conditions: [],
      fields: ["id"],
      sort: undefined,
      limit: undefined,
    });
    const parents = users ?? ids;
    const of = users ? ofUser : ofGroup;
    const path = users ? `/users/{id}/${list}` : `/${list}/{id}/${members}`;
    return {
      rows: users ? users.count * 3 : (ids?.count ?? all.rows) * 100,
      calls: parents ? parents.count : all.rows + all.calls,
      requests: parents
        ? parents.values.map((id) => `GET ${path.replace("{id}", encoded(id))}`)
        : [...all.requests, `GET ${path} for each`],
      async *pages(signal) {
        if (parents) for (const id of parents.values.filter(Boolean)) yield* of(request, id, signal);
        else yield* within(all.pages(signal), ({ id }) => ofGroup(request, String(id), signal));
      },
    };
  }

  return {
    name,
    attributes,
    key: [group, "user_id"],
    read,
    async find(api, [id = "", user = ""], signal) {
      const request: ReadRequest = {
        api,
        conditions: [],
        fields: [group, "user_id"],
        sort: undefined,
        limit: undefined,
      };
      if (!id || !user) return undefined;
      for await (const items of ofUser(request, user, signal)) {
        const found = items.find((item) => item[group] === id);
        if (found) return found;
      }
      return undefined;
    },
    writable: new Set([group, "user_id"]),
    async insert(api, values, signal) {
      await definition.add(api, String(values[group]), String(values.user_id), signal);
    },
    async delete(api, [id = "", user = ""], signal) {
      await definition.remove(api, id, user, signal);
    },
  };
}

const ofUser = ["email", "name", "picture"];

/** A member with what its user tells. */
async function withUser(
  api: Api,
  member: Item,
  fields: readonly string[],
  signal: AbortSignal,
): Promise<Item> {
  if (!fields.some((name) => ofUser.includes(name))) return member;
  const user = await api.find(userPath(String(member.user_id)), { fields: ofUser.join(",") }, signal);
  return { ...member, ...(user as Item | undefined) };
}

export const roleMembers = membership({
  name: "role_members",
  group: "role_id",
  groups: roles,
  members: "users",
  parameters: () => ({}),
  attributes: { email: text, name: text, picture: text },
  complete: withUser,
  add: (api, role, user, signal) => api.send("POST", `${userPath(user)}/roles`, { roles: [role] }, signal),
  remove: (api, role, user, signal) =>
    api.send("DELETE", `${userPath(user)}/roles`, { roles: [role] }, signal),
});

const memberPath = (organization: string) => `/organizations/${encoded(organization)}/members`;

export const organizationMembers = membership({
  name: "organization_members",
  group: "organization_id",
  groups: organizations,
  members: "members",
  // A member's roles come only where they are named.
  parameters: (fields): Record<string, string> =>
    fields.includes("roles") ? { fields: "user_id,email,name,picture,roles" } : {},
  attributes: { email: text, name: text, picture: text, roles: jsonb },
  async complete(api, member, fields, signal) {
    const completed = await withUser(api, member, fields, signal);
    if (!fields.includes("roles")) return completed;
    const { organization_id, user_id } = member;
    const path = `${memberPath(String(organization_id))}/${encoded(String(user_id))}/roles`;
    const held: Item[] = [];
    for await (const items of paged(api, path, "roles", {}, signal)) held.push(...items);
    return { ...completed, roles: held };
  },
  add: (api, organization, user, signal) =>
    api.send("POST", memberPath(organization), { members: [user] }, signal),
  remove: (api, organization, user, signal) =>
    api.send("DELETE", memberPath(organization), { members: [user] }, signal),
});

export const rolePermissions: Kind = {
  name: "role_permissions",
  attributes: {
    role_id: text,
    resource_server_identifier: text,
    permission_name: text,
    resource_server_name: text,
    description: text,
  },
  key: ["role_id", "resource_server_identifier", "permission_name"],
  read(request) {
    const { api } = request;
    const ids = equalTo(request, "role_id");
    const all = roles.read({ ...request, conditions: [], fields: ["id"], sort: undefined, limit: undefined });
    const count = ids?.count ?? all.rows;
    async function* ofRole(id: string, signal: AbortSignal): Pages {
      const path = `/roles/${encoded(id)}/permissions`;
      for await (const items of paged(api, path, "permissions", {}, signal))
        yield items.map((item) => ({ ...item, role_id: id }));
    }
    return {
      rows: count * 10,
      calls: count,
      requests: ids
        ? ids.values.map((id) => `GET /roles/${encoded(id)}/permissions`)
        : [...all.requests, "GET /roles/{id}/permissions for each"],
      async *pages(signal) {
        if (ids) for (const id of ids.values.filter(Boolean)) yield* ofRole(id, signal);
        else yield* within(all.pages(signal), ({ id }) => ofRole(String(id), signal));
      },
    };
  },
};
