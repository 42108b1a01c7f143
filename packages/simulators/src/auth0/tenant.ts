import { randomBytes } from "node:crypto";
import { ApiError, noUser } from "./errors.ts";
import type { Item } from "./route.ts";
import { UsersStore } from "./users-store.ts";

/** What a tenant holds at first. Ids and times that are not given are made up. */
export interface Seed {
  readonly users?: Iterable<Item>;
  /** `users` and `permissions` of a role go in with it. */
  readonly roles?: Iterable<Item & { users?: readonly string[]; permissions?: readonly Item[] }>;
  /** `members` of an organization go in with it: user ids, with the ids of their roles there. */
  readonly organizations?: Iterable<Item & { members?: Readonly<Record<string, readonly string[]>> }>;
  readonly clients?: Iterable<Item>;
  readonly connections?: Iterable<Item>;
  readonly logs?: Iterable<Item>;
  readonly sessions?: Iterable<Item>;
  readonly grants?: Iterable<Item>;
  /** Logins of users that brute-force protection refuses: user ids, with addresses. */
  readonly blocks?: Readonly<Record<string, readonly string[]>>;
}

/** The database connection that every tenant begins with. */
export const databaseConnection = "Username-Password-Authentication";

/** All that a tenant holds. Objects are replaced on change, never changed in place. */
export class Tenant {
  readonly users: UsersStore;
  readonly roles = new Map<string, Item>();
  readonly rolePermissions = new Map<string, Item[]>();
  /** Users by role, in the order of their assignment. */
  readonly roleUsers = new Map<string, Set<string>>();
  readonly userPermissions = new Map<string, Item[]>();
  readonly organizations = new Map<string, Item>();
  /** Roles by member, by organization. */
  readonly members = new Map<string, Map<string, Set<string>>>();
  readonly clients = new Map<string, Item>();
  readonly connections = new Map<string, Item>();
  /** In the order of their dates. */
  readonly logs: Item[] = [];
  readonly sessions = new Map<string, Item>();
  readonly grants = new Map<string, Item>();
  /** Refused addresses by user. */
  readonly blocks = new Map<string, string[]>();
  readonly jobs = new Map<string, Item>();

  constructor(seed: Seed, searchDelay: number) {
    this.users = new UsersStore(searchDelay);
    this.addConnection({ name: databaseConnection, strategy: "auth0" });
    for (const connection of seed.connections ?? []) this.addConnection(connection);
    for (const user of seed.users ?? []) this.users.put(withUserDefaults(user), 0);
    for (const { users = [], permissions = [], ...role } of seed.roles ?? []) {
      const { id } = this.addRole(role);
      this.roleUsers.set(id, new Set(users));
      this.rolePermissions.set(id, [...permissions]);
    }
    for (const { members = {}, ...organization } of seed.organizations ?? []) {
      const { id } = this.addOrganization(organization);
      for (const [user, roles] of Object.entries(members)) this.members.get(id)!.set(user, new Set(roles));
    }
    for (const client of seed.clients ?? []) this.addClient(client);
    for (const log of seed.logs ?? []) this.addLog(log);
    for (const session of seed.sessions ?? []) {
      const id = String(session.id ?? hex(16));
      this.sessions.set(id, { id, created_at: now(), updated_at: now(), clients: [], ...session });
    }
    for (const grant of seed.grants ?? []) {
      const id = String(grant.id ?? hex(12));
      this.grants.set(id, { id, scope: [], ...grant });
    }
    for (const [user, addresses] of Object.entries(seed.blocks ?? {})) this.blocks.set(user, [...addresses]);
  }

  /** @throws ApiError 404 */
  user(id: string): Item {
    const user = this.users.get(id);
    if (!user) throw noUser();
    return user;
  }

  addRole(role: Item) {
    const added = { description: "", ...role, id: String(role.id ?? `rol_${word(16)}`) };
    this.roles.set(added.id, added);
    this.roleUsers.set(added.id, new Set());
    this.rolePermissions.set(added.id, []);
    return added;
  }

  addOrganization(organization: Item) {
    const id = String(organization.id ?? `org_${word(16)}`);
    const added = { display_name: organization.name, ...organization, id };
    this.organizations.set(id, added);
    this.members.set(id, new Map());
    return added;
  }

  addClient(client: Item) {
    const client_id = String(client.client_id ?? word(32));
    const added = {
      tenant: "simulator",
      global: false,
      is_first_party: true,
      client_secret: word(64),
      callbacks: [],
      ...client,
      client_id,
    };
    this.clients.set(client_id, added);
    return added;
  }

  addConnection(connection: Item) {
    const { name } = connection;
    const id = String(connection.id ?? `con_${word(16)}`);
    const added = { options: {}, enabled_clients: [], realms: [name], ...connection, id };
    this.connections.set(id, added);
    return added;
  }

  addLog(log: Item) {
    const log_id = String(log.log_id ?? `900${String(this.logs.length).padStart(23, "0")}`);
    const added = { date: now(), type: "sapi", ...log, log_id, _id: log_id };
    this.logs.push(added);
    return added;
  }

  /** Removes a user and all that belongs to it. */
  deleteUser(id: string): void {
    if (!this.users.delete(id)) return;
    for (const users of this.roleUsers.values()) users.delete(id);
    for (const members of this.members.values()) members.delete(id);
    for (const owned of [this.sessions, this.grants])
      for (const [key, item] of owned) if (item.user_id === id) owned.delete(key);
    this.userPermissions.delete(id);
    this.blocks.delete(id);
  }
}

const prefixes: Readonly<Record<string, string>> = { role: "rol_", organization: "org_", connection: "con_" };

/** An object by its id. @throws ApiError 404 that names its kind, 400 for an id of another kind */
export function find(items: ReadonlyMap<string, Item>, id: string, kind: string): Item {
  if (!id.startsWith(prefixes[kind] ?? ""))
    throw new ApiError(
      400,
      `Path validation error: 'Object didn't pass validation for format ${kind}-id: ${id}' on property id.`,
      "invalid_uri",
    );
  const item = items.get(id);
  if (!item) throw new ApiError(404, `The ${kind} does not exist.`, `inexistent_${kind}`);
  return item;
}

/** A user with all that Auth0 gives one. */
export function withUserDefaults(given: Item): Item & { user_id: string } {
  const user_id = String(given.user_id ?? `auth0|${hex(12)}`);
  const [provider = "auth0", ...rest] = user_id.split("|");
  const connection = provider === "auth0" ? databaseConnection : provider;
  const { email } = given;
  const name = email ?? user_id;
  return {
    created_at: now(),
    updated_at: given.created_at ?? now(),
    ...(typeof email === "string" && { email_verified: false, nickname: email.split("@")[0] }),
    identities: [{ user_id: rest.join("|"), provider, connection, isSocial: provider !== "auth0" }],
    name,
    picture: `https://s.gravatar.com/avatar/${Buffer.from(String(name)).toString("hex").slice(0, 32)}`,
    ...given,
    user_id,
  };
}

export const now = () => new Date().toISOString();
export const hex = (bytes: number) => randomBytes(bytes).toString("hex");
/** Letters and digits. */
export const word = (length: number) =>
  randomBytes(length * 2)
    .toString("base64")
    .replace(/[^A-Za-z0-9]/g, "")
    .slice(0, length);
