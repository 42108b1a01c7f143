import type { Call, Reply } from "../drives/call.ts";
import { isObject, readJson } from "./body.ts";
import { GraphError, invalidRequest } from "./errors.ts";
import type { Json } from "./item-json.ts";

const mostRequests = 20;

interface Part {
  readonly id: string;
  readonly call: Call;
  readonly dependsOn: readonly string[];
}

/**
 * Answers `POST /v1.0/$batch`: each request is carried out, charged and refused on its own. Their answers come
 * in another order than they did.
 * @param run carries out one of them; never throws
 */
export async function batch(call: Call, run: (call: Call) => Promise<Reply>): Promise<Reply> {
  const { requests } = await readJson(call);
  if (!Array.isArray(requests) || requests.length === 0) throw invalidRequest("A batch needs requests.");
  if (requests.length > mostRequests)
    throw invalidRequest(`A batch has ${requests.length} requests; ${mostRequests} are the most.`);
  const parts = requests.map((request) => partOf(call, request));
  const statuses = new Map<string, number>();
  for (const { id, dependsOn } of parts) {
    if (statuses.has(id)) throw invalidRequest(`The id '${id}' stands twice in the batch.`);
    const unknown = dependsOn.find((other) => !statuses.has(other));
    if (unknown !== undefined)
      throw invalidRequest(`The request '${unknown}' does not stand before '${id}'.`);
    statuses.set(id, 0);
  }
  const responses: Json[] = [];
  for (const { id, call: inner, dependsOn } of parts) {
    const failed = dependsOn.some((other) => statuses.get(other)! >= 400);
    const reply = failed ? failedDependency(inner) : await run(inner);
    statuses.set(id, reply.status);
    responses.push({
      id,
      status: reply.status,
      headers: { ...reply.headers, ...(reply.body !== undefined && { "Content-Type": "application/json" }) },
      ...(reply.body !== undefined && { body: reply.body }),
    });
  }
  return { status: 200, body: { responses: responses.reverse() } };
}

/** @throws GraphError 400 */
function partOf(outer: Call, request: unknown): Part {
  if (!isObject(request)) throw invalidRequest("A request of a batch must be an object.");
  const { id, method, url, headers = {}, body, dependsOn = [] } = request;
  if (typeof id !== "string" || id === "") throw invalidRequest("A request of a batch needs an id.");
  if (typeof method !== "string") throw invalidRequest(`The request '${id}' needs a method.`);
  if (typeof url !== "string" || !url.startsWith("/") || /^\/(v1\.0\/|beta\/|\$batch)/.test(url))
    throw invalidRequest(`The url of the request '${id}' must be relative to the version of the API.`);
  if (!isObject(headers)) throw invalidRequest(`The headers of the request '${id}' must be an object.`);
  if (!Array.isArray(dependsOn)) throw invalidRequest(`dependsOn of the request '${id}' must be a list.`);
  const lower = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
  if (body !== undefined && lower["content-type"] === undefined)
    throw invalidRequest(`The request '${id}' has a body and so needs a Content-Type.`);
  // Bytes come in base64, all else as JSON.
  const bytes =
    body === undefined
      ? Buffer.alloc(0)
      : typeof body === "string"
        ? Buffer.from(body, "base64")
        : Buffer.from(JSON.stringify(body));
  const [path = "", rawQuery = ""] = url.split("?", 2);
  const call: Call = {
    method: method.toUpperCase(),
    origin: outer.origin,
    path: `/v1.0${path}`,
    rawQuery,
    query: new URLSearchParams(rawQuery),
    headers: {
      authorization: outer.headers.authorization,
      "content-length": String(bytes.length),
      ...lower,
    },
    body: (async function* () {
      yield bytes;
    })(),
  };
  return { id, call, dependsOn: dependsOn.map(String) };
}

function failedDependency(call: Call): Reply {
  const error = new GraphError(424, "failedDependency", "A request that this one depends on has failed.");
  return error.reply(call, Date.now());
}
