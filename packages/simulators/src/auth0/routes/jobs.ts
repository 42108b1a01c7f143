import { gzipSync } from "node:zlib";
import { ApiError, invalidBody } from "../errors.ts";
import { type Call, type Item, ok, type Route } from "../route.ts";
import { find, hex, now, word } from "../tenant.ts";

/** As many polls as a job takes: pending, processing, then completed. */
const statuses = ["pending", "processing", "completed"] as const;
/** Fields of an export that asks for none. */
const usual = [
  "user_id",
  "email",
  "email_verified",
  "username",
  "phone_number",
  "phone_verified",
  "created_at",
  "updated_at",
  "identities",
  "name",
  "nickname",
  "picture",
  "given_name",
  "family_name",
  "last_login",
  "last_ip",
  "logins_count",
  "blocked",
];

export const jobs: readonly Route[] = [
  {
    method: "POST",
    path: "/jobs/users-exports",
    scopes: ["read:users"],
    run: ({ tenant, body }) => {
      for (const name of Object.keys(body))
        if (!["connection_id", "format", "limit", "fields"].includes(name))
          throw invalidBody(`Additional properties not allowed: ${name}`);
      const { connection_id, format = "json", fields = [] } = body;
      if (format !== "json") throw new ApiError(501, "This simulator exports JSON only.");
      if (connection_id !== undefined && !tenant.connections.has(String(connection_id)))
        throw new ApiError(400, "The connection does not exist.", "inexistent_connection");
      if (!Array.isArray(fields) || fields.length > 30)
        throw invalidBody("Array is too long, maximum 30' on property 'fields");
      const job = {
        type: "users_export",
        status: statuses[0],
        created_at: now(),
        ...body,
        format,
        id: `job_${word(16)}`,
      };
      tenant.jobs.set(job.id, {
        ...job,
        polls: 0,
        secret: hex(16),
        file: exported(tenant.users.all(), body, tenant),
      });
      return ok(job);
    },
  },
  {
    method: "GET",
    path: "/jobs/:id",
    scopes: ["read:users", "create:users"],
    run: ({ tenant, params, origin }) => {
      const { polls, secret, file: _, ...job } = find(tenant.jobs, params.id!, "job");
      const status = statuses[Math.min(Number(polls), 2)]!;
      tenant.jobs.set(params.id!, { ...tenant.jobs.get(params.id!), polls: Number(polls) + 1 });
      if (status !== "completed") return ok({ ...job, status, percentage_done: Number(polls) * 50 });
      const location = `${origin}/exports/${job.id}/${secret}.json.gz`;
      return ok({ ...job, status, percentage_done: 100, location });
    },
  },
];

/** The file of a finished export: gzip of one JSON object a line; undefined where the link is none of ours. */
export function download(tenant: Call["tenant"], path: string): Buffer | undefined {
  const [, id, secret] = /^\/exports\/([^/]+)\/([^/]+)\.json\.gz$/.exec(path) ?? [];
  const job = tenant.jobs.get(id ?? "");
  return job && job.secret === secret ? (job.file as Buffer) : undefined;
}

interface Column {
  readonly name: string;
  readonly export_as?: string;
}

function exported(users: readonly Item[], body: Item, tenant: Call["tenant"]): Buffer {
  const { connection_id, limit, fields } = body;
  const connection = tenant.connections.get(String(connection_id))?.name;
  const columns = (fields as Column[] | undefined) ?? usual.map((name): Column => ({ name }));
  const lines = users
    .filter(
      (user) => !connection || (user.identities as Item[]).some((each) => each.connection === connection),
    )
    .slice(0, Number(limit ?? users.length))
    .map((user) => {
      const row: Item = {};
      for (const { name, export_as } of columns) {
        const value = at(user, name);
        if (value !== undefined) row[export_as ?? name] = value;
      }
      return `${JSON.stringify(row)}\n`;
    });
  return gzipSync(lines.join(""));
}

/** The value at a path such as `user_metadata.city` or `identities[0].connection`. */
function at(item: Item, path: string): unknown {
  let value: unknown = item;
  for (const name of path.split(/[.[\]]/).filter(Boolean))
    value = typeof value === "object" && value !== null ? (value as Item)[name] : undefined;
  return value;
}
