import { clients, connections, organizations, roles } from "./collections.ts";
import type { Kind } from "./kind.ts";
import { logs } from "./logs.ts";
import { organizationMembers, roleMembers, rolePermissions } from "./members.ts";
import { grants, sessions } from "./of-users.ts";
import { users } from "./users.ts";

export type { Kind } from "./kind.ts";

/** All that tables can hold, by the name that the option `object` gives. */
export const kinds: ReadonlyMap<string, Kind> = new Map(
  [
    users,
    roles,
    roleMembers,
    rolePermissions,
    organizations,
    organizationMembers,
    clients,
    connections,
    logs,
    sessions,
    grants,
  ].map((kind) => [kind.name, kind]),
);
