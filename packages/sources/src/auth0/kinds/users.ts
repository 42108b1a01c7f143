import { SqlError } from "../../error.ts";
import type { Api, Item } from "../api.ts";
import { byId, eachOf, encoded, itemsOf, pageSize } from "../read/lists.ts";
import { equalTo } from "../read/request.ts";
import { type SearchedList, searched } from "../read/search.ts";
import { boolean, jsonb, type Kind, text, timestamptz } from "./kind.ts";

export const userPath = (id: string) => `/users/${encoded(id)}`;

export const userList: SearchedList = {
  path: "/users",
  name: "users",
  id: "user_id",
  date: "created_at",
  searchable: {
    texts: new Set([
      "user_id",
      "email",
      "name",
      "given_name",
      "family_name",
      "nickname",
      "username",
      "phone_number",
      "last_ip",
      "identities.connection",
    ]),
    folded: new Set(["email", "name", "given_name", "family_name", "nickname"]),
    booleans: new Set(["email_verified", "phone_verified", "blocked"]),
    numbers: new Set(["logins_count"]),
    dates: new Set(["created_at", "updated_at", "last_login"]),
  },
  sortable: new Set(["updated_at"]),
};

/** As many ids are always looked up one by one. */
const fewIds = 50;
const metadata = ["user_metadata", "app_metadata"];
/** Attributes that no update can bring together, each group with its own request. */
const apart = ["username", "password"];

export const users: Kind = {
  name: "users",
  attributes: {
    user_id: text,
    email: text,
    email_verified: boolean,
    username: text,
    phone_number: text,
    phone_verified: boolean,
    name: text,
    given_name: text,
    family_name: text,
    nickname: text,
    picture: text,
    created_at: timestamptz,
    updated_at: timestamptz,
    last_login: timestamptz,
    last_ip: text,
    last_password_reset: timestamptz,
    logins_count: "bigint",
    blocked: boolean,
    multifactor: jsonb,
    identities: jsonb,
    user_metadata: jsonb,
    app_metadata: jsonb,
    connection: text,
    password: text,
  },
  key: ["user_id"],
  version: "updated_at",
  writable: new Set([
    "user_id",
    "email",
    "email_verified",
    "username",
    "phone_number",
    "phone_verified",
    "name",
    "given_name",
    "family_name",
    "nickname",
    "picture",
    "blocked",
    ...metadata,
    "connection",
    "password",
  ]),

  read(request) {
    const { api } = request;
    // The connection is that of the first identity.
    const fields = request.fields?.map((name) => (name === "connection" ? "identities" : name));
    const parameters = { fields: fields && [...new Set([...fields, "user_id"])].join(",") };
    const ids = equalTo(request, "user_id");
    const total = api.counts.get(userList.path) ?? 0;
    // Very many are found sooner by reading all.
    if (ids && ids.count <= Math.max(fewIds, total / pageSize))
      return withConnection(byId(api, ids, userPath, parameters));
    const emails = equalTo(request, "email");
    // What has not the form of an e-mail address is refused there.
    if (emails?.values.every((email) => /^[^\s@]+@[^\s@]+$/.test(email)))
      return withConnection({
        rows: emails.count,
        calls: emails.count,
        requests: emails.values.map((email) => `GET /users-by-email?email=${email}`),
        pages: eachOf(emails.values, async (email, signal) =>
          itemsOf(await api.get("/users-by-email", { email, ...parameters }, signal), "users"),
        ),
      });
    const conditions = request.conditions.map((condition) =>
      condition.attribute === "connection" ? { ...condition, attribute: "identities.connection" } : condition,
    );
    return withConnection(searched(userList, { ...request, conditions, fields }));
  },

  async find(api, [id = ""], signal) {
    const user = id ? await api.find(userPath(id), {}, signal) : undefined;
    return user as Item | undefined;
  },

  async insert(api, values, signal) {
    const { user_id, connection, ...others } = values;
    if (typeof connection !== "string")
      throw new SqlError("23502", "a new user needs a connection", {
        hint: "Give the table the option connection 'Username-Password-Authentication', or insert a column connection.",
      });
    const given = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== null));
    // Auth0 puts the provider and a bar in front.
    const own = typeof user_id === "string" ? user_id.slice(user_id.indexOf("|") + 1) : undefined;
    await api.send("POST", "/users", { ...given, connection, ...(own && { user_id: own }) }, signal);
  },

  async update(api, [id = ""], values, before, signal) {
    for (const name of ["user_id", "connection"])
      if (name in values) throw new SqlError("0A000", `Auth0 cannot change a user's ${name}`);
    const patch: Record<string, unknown> = { ...values };
    for (const name of metadata)
      if (name in patch)
        patch[name] = metadataPatch(patch[name], before[name] ?? (await stored(api, id, name, signal)));
    const together = Object.entries(patch).filter(([name]) => !apart.includes(name));
    const requests = [
      Object.fromEntries(together),
      ...apart.filter((name) => name in patch).map((name) => ({ [name]: patch[name] })),
    ];
    for (const body of requests)
      if (Object.keys(body).length > 0) await api.send("PATCH", userPath(id), body, signal);
  },

  async delete(api, [id = ""], signal) {
    await api.send("DELETE", userPath(id), undefined, signal);
  },
};

const stored = async (api: Api, id: string, name: string, signal: AbortSignal) =>
  (await users.find!(api, [id], signal))?.[name];

/**
 * Auth0 merges metadata into what is there by its first level: what shall be gone must be named, with null; an
 * empty object removes all.
 */
function metadataPatch(after: unknown, before: unknown): unknown {
  if (after === null) return {};
  if (typeof after !== "object" || Array.isArray(after))
    throw new SqlError("22023", "a user's metadata must be a JSON object");
  const gone = Object.keys((before ?? {}) as Item).filter((name) => !Object.hasOwn(after, name));
  return { ...after, ...Object.fromEntries(gone.map((name) => [name, null])) };
}

function withConnection<Source extends ReturnType<Kind["read"]>>(reading: Source): Source {
  return {
    ...reading,
    async *pages(signal: AbortSignal) {
      for await (const items of reading.pages(signal)) yield items.map(connected);
    },
  };
}

/** A user with the attribute `connection`, which Auth0 has in the first identity, but not in the object as a whole. */
function connected(user: Item): Item {
  const [identity] = (user.identities ?? []) as Item[];
  return identity ? Object.defineProperty({ ...user }, "connection", { value: identity.connection }) : user;
}
