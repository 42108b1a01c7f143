import { ApiError, invalidBody, invalidQuery } from "../errors.ts";
import { beyondSearch, page, pageQuery, select } from "../paging.ts";
import { type Call, created, type Item, noContent, ok, type Route } from "../route.ts";
import { userSchema } from "../search/match.ts";
import { search } from "../search/search.ts";
import { databaseConnection, hex, now, type Tenant, withUserDefaults } from "../tenant.ts";

const metadata = ["user_metadata", "app_metadata"];
/** Attributes of a user that both creation and update take. */
const writable = [
  ...metadata,
  "email",
  "email_verified",
  "verify_email",
  "phone_number",
  "phone_verified",
  "blocked",
  "given_name",
  "family_name",
  "name",
  "nickname",
  "picture",
  "username",
  "password",
  "connection",
];
const onCreate = new Set([...writable, "user_id"]);
const onUpdate = new Set([...writable, "verify_phone_number", "client_id"]);
const booleans = new Set([
  "email_verified",
  "verify_email",
  "phone_verified",
  "verify_phone_number",
  "blocked",
]);
/** Attributes that no update may bring together. */
const never = [
  ["password", "email"],
  ["password", "email_verified"],
  ["username", "email"],
  ["username", "email_verified"],
  ["username", "password"],
] as const;
/** What is taken but is no attribute of the user. */
const notKept = new Set(["password", "connection", "verify_email", "verify_phone_number", "client_id"]);
const fieldsQuery = ["fields", "include_fields"];

export const users: readonly Route[] = [
  {
    method: "GET",
    path: "/users",
    scopes: ["read:users"],
    query: [...pageQuery, ...fieldsQuery, "q", "sort", "search_engine", "connection", "primary_order"],
    run: (call) => {
      const { tenant, query } = call;
      const engine = query.get("search_engine") ?? "v3";
      if (engine !== "v3") throw invalidQuery(`No enum match for: ${engine}`);
      const indexed = tenant.users.indexed().map((user) => withOrganizations(tenant, user));
      const found = search(indexed, { q: query.get("q"), sort: query.get("sort") }, userSchema);
      return ok(page(call, "users", select(call, found.map(withoutOrganizations)), beyondSearch));
    },
  },
  {
    method: "POST",
    path: "/users",
    scopes: ["create:users"],
    run: (call) => created(create(call)),
  },
  {
    method: "GET",
    path: "/users-by-email",
    scopes: ["read:users"],
    query: ["email", ...fieldsQuery],
    run: (call) => {
      const email = call.query.get("email");
      if (!email) throw invalidQuery("Missing required property: email");
      if (!isEmail(email)) throw invalidQuery(`Object didn't pass validation for format email: ${email}`);
      return ok(
        select(
          call,
          call.tenant.users.all().filter((user) => user.email === email),
        ),
      );
    },
  },
  {
    method: "GET",
    path: "/users/:id",
    scopes: ["read:users", "read:current_user"],
    query: fieldsQuery,
    run: (call) => ok(select(call, [call.tenant.user(call.params.id!)])[0]),
  },
  {
    method: "PATCH",
    path: "/users/:id",
    scopes: ["update:users", "update:users_app_metadata"],
    run: (call) => ok(update(call)),
  },
  {
    method: "DELETE",
    path: "/users/:id",
    scopes: ["delete:users"],
    run: ({ tenant, params }) => {
      tenant.deleteUser(params.id!);
      return noContent();
    },
  },
  {
    method: "GET",
    path: "/users/:id/logs",
    scopes: ["read:logs", "read:logs_users"],
    query: [...pageQuery, "sort"],
    run: (call) => {
      call.tenant.user(call.params.id!);
      const logs = call.tenant.logs.filter((log) => log.user_id === call.params.id).reverse();
      return ok(page(call, "logs", logs, beyondSearch));
    },
  },
];

/** Search finds users by an organization that they are members of, though no user shows it. */
const withOrganizations = (tenant: Tenant, user: Item): Item => {
  const memberships = [...tenant.members].filter(([, members]) => members.has(String(user.user_id)));
  return memberships.length > 0 ? { ...user, organization_id: memberships.map(([id]) => id) } : user;
};
const withoutOrganizations = ({ organization_id: _, ...user }: Item): Item => user;

function create({ tenant, body }: Call): Item {
  check(body, onCreate);
  if (typeof body.connection !== "string") throw invalidBody("Missing required property: connection");
  const connection = [...tenant.connections.values()].find(({ name }) => name === body.connection);
  if (!connection) throw new ApiError(400, "The connection does not exist.", "inexistent_connection");
  const database = connection.strategy === "auth0";
  if (connection.strategy !== "sms" && typeof body.email !== "string")
    throw invalidBody("Missing required property: email");
  if (database && typeof body.password !== "string") throw invalidBody("Missing required property: password");
  const own = String(body.user_id ?? hex(12));
  const provider = String(connection.strategy);
  const user_id = `${provider}|${own}`;
  const email = typeof body.email === "string" ? body.email.toLowerCase() : undefined;
  const taken = tenant.users
    .all()
    .some(
      (user) =>
        user.user_id === user_id ||
        (email !== undefined && user.email === email && connectionOf(user) === connection.name),
    );
  if (taken) throw new ApiError(409, "The user already exists.", "auth0_idp_error");
  const user = withUserDefaults({
    ...kept(body),
    ...(email && { email }),
    user_id,
    identities: [{ connection: connection.name, user_id: own, provider, isSocial: false }],
  });
  tenant.users.put(user);
  return user;
}

function update({ tenant, params, body }: Call): Item {
  const user = tenant.user(params.id!);
  check(body, onUpdate);
  if (Object.keys(body).length === 0) throw invalidBody("Too few properties defined (0), minimum 1");
  for (const [one, other] of never)
    if (one in body && other in body)
      throw new ApiError(400, `Cannot update ${one} and ${other} simultaneously`, "invalid_body");
  if ("password" in body && connectionOf(user) !== databaseConnection)
    throw new ApiError(400, "Cannot update password for users of this connection", "operation_not_supported");
  const email = typeof body.email === "string" ? body.email.toLowerCase() : undefined;
  if (
    email !== undefined &&
    tenant.users
      .all()
      .some((other) => other !== user && other.email === email && sharesConnection(other, user))
  )
    throw new ApiError(400, "The specified new email already exists", "auth0_idp_error");
  const changed: Item = { ...user, ...kept(body), ...(email && { email }), updated_at: now() };
  for (const name of metadata) {
    if (name in body) changed[name] = merged(user[name], body[name] as Item | null);
    if (changed[name] === undefined) delete changed[name];
  }
  for (const [name, value] of Object.entries(changed)) if (value === null) delete changed[name];
  tenant.users.put({ ...changed, user_id: String(user.user_id) });
  return tenant.user(params.id!);
}

const connectionOf = (user: Item) => (user.identities as Item[])[0]?.connection;
const sharesConnection = (one: Item, other: Item) => connectionOf(one) === connectionOf(other);

/** Metadata is merged by its first level: null removes a name, an empty object all of them. */
function merged(before: unknown, patch: Item | null): Item | undefined {
  if (patch === null) return undefined;
  if (Object.keys(patch).length === 0) return {};
  const after = { ...(before as Item | undefined), ...patch };
  for (const [name, value] of Object.entries(patch)) if (value === null) delete after[name];
  return after;
}

const kept = (body: Item) => Object.fromEntries(Object.entries(body).filter(([name]) => !notKept.has(name)));

const isEmail = (text: string) => /^[^\s@]+@[^\s@]+$/.test(text);

/** @throws ApiError 400 for an attribute that cannot be written or a value of the wrong type */
function check(body: Item, known: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(body)) {
    if (!known.has(name)) throw invalidBody(`Additional properties not allowed: ${name}`);
    const expected = booleans.has(name) ? "boolean" : metadata.includes(name) ? "object" : "string";
    const actual = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
    if (actual !== expected && !(value === null && expected !== "boolean"))
      throw invalidBody(`Expected type ${expected} but found type ${actual}' on property '${name}`);
  }
  if (typeof body.email === "string" && !isEmail(body.email))
    throw invalidBody(`Object didn't pass validation for format email: ${body.email}`);
}
