import { z } from "zod";
import { WrapperError } from "@/integrations/wrappers";
import { projectWrappers, serviceClient } from "../_shared/project.ts";

/**
 * Files for the project's users: `GET /files?prefix=&after=&limit=` lists, `GET /files/KEY` leads to the file,
 * `POST /files/KEY` gives a URL to PUT it to. Who may is in the user's `app_metadata.files`, which only the service
 * role can write: `read-only` or `read-write`.
 */

/** Seconds that a link is good for. */
const linkLasts = 300;
const rights = z.object({ files: z.enum(["read-only", "read-write"]) });
const listing = z.object({
  prefix: z.string().optional(),
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

const client = serviceClient();
const wrappers = projectWrappers(client);
const origin = Deno.env.get("FILES_ORIGIN");
const cors: Record<string, string> = origin
  ? {
      "access-control-allow-origin": origin,
      "access-control-allow-headers": "authorization, apikey, content-type, x-client-info",
      "access-control-allow-methods": "GET, POST",
      vary: "origin",
    }
  : {};

const problem = (status: number, message: string) => Response.json({ message }, { status, headers: cors });

/** What the user of this request may do; undefined without a valid token. */
async function rightsOf(request: Request): Promise<z.infer<typeof rights>["files"] | "none" | undefined> {
  const [, token] = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  if (token === undefined) return undefined;
  const { data } = await client.auth.getUser(token);
  if (!data.user) return undefined;
  const parsed = rights.safeParse(data.user.app_metadata);
  return parsed.success ? parsed.data.files : "none";
}

async function list(parameters: URLSearchParams): Promise<Response> {
  const query = listing.safeParse(Object.fromEntries(parameters));
  if (!query.success) return problem(400, z.prettifyError(query.error));
  const { limit } = query.data;
  const found = await wrappers.listS3Files(query.data);
  const files = found.map(({ filename, metadata }) => ({ filename, ...metadata }));
  const next = found.length === limit ? found.at(-1)?.filename : undefined;
  return Response.json({ files, next }, { headers: cors });
}

async function answer(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const key = decodeURIComponent(/^\/files\/(.+)$/.exec(pathname)?.[1] ?? "");
  const may = await rightsOf(request);
  if (may === undefined) return problem(401, "Sign in first.");
  if (may === "none" || (request.method === "POST" && may !== "read-write"))
    return problem(403, "You may not do this.");
  if (request.method === "GET" && key === "") return list(searchParams);
  if (request.method === "GET") {
    if (!(await wrappers.getS3File(key))) return problem(404, "There is no such file.");
    const location = await wrappers.presignDownload(key, { expiresIn: linkLasts });
    return new Response(null, { status: 302, headers: { ...cors, location } });
  }
  if (request.method === "POST" && key !== "") {
    const url = await wrappers.presignUpload(key, { expiresIn: linkLasts });
    return Response.json({ url }, { headers: cors });
  }
  return problem(405, "GET, or POST to a file's name.");
}

Deno.serve(async (request) => {
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: cors });
  try {
    return await answer(request);
  } catch (error) {
    if (error instanceof URIError) return problem(400, "The file's name is no valid part of a URL.");
    if (error instanceof WrapperError && error.kind === "invalid") return problem(400, error.message);
    console.error(error);
    return problem(502, "The files cannot be reached now.");
  }
});
