import { type Call, readBody, TooLarge } from "../drives/call.ts";
import type { Conditions, Conflict, FileTimes, Properties } from "./drive.ts";
import { GraphError, invalidRequest } from "./errors.ts";
import type { Json } from "./item-json.ts";

export const conflictName = "@microsoft.graph.conflictBehavior";

/** The JSON object of a request; an empty one where it has no body. @throws GraphError 400, 413 */
export async function readJson(call: Call): Promise<Json> {
  const text = (await readText(call)).trim();
  if (text === "") return {};
  const type = call.headers["content-type"];
  if (type !== undefined && !/^application\/json\b/i.test(type))
    throw invalidRequest(`The content type ${type} is not application/json.`);
  try {
    const body: unknown = JSON.parse(text);
    if (isObject(body)) return body;
  } catch {}
  throw new GraphError(400, "BadRequest", "Unable to read JSON request payload.");
}

export async function readText(call: Call): Promise<string> {
  try {
    return (await readBody(call)).toString();
  } catch (error) {
    if (error instanceof TooLarge) throw new GraphError(413, "invalidRequest", "Request Entity Too Large");
    throw error;
  }
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws GraphError 400 */
export function conflictOf<T extends Conflict | undefined>(value: unknown, missing: T): Conflict | T {
  if (value === undefined || value === null) return missing;
  if (value === "fail" || value === "replace" || value === "rename") return value;
  throw invalidRequest(`The conflict behavior '${value}' is not fail, replace or rename.`);
}

/** The conditions in the headers of a request. */
export function conditionsOf({ headers }: Call): Conditions {
  return { ifMatch: headers["if-match"], ifNoneMatch: headers["if-none-match"] };
}

/** What the body of a write says of an item itself. @param personal only there items have descriptions */
export function propertiesOf(body: Json, personal: boolean): Properties {
  const { fileSystemInfo, description } = body;
  if (description !== undefined && !personal)
    throw invalidRequest("The description of an item can only be set on a personal drive.");
  if (description !== undefined && (typeof description !== "string" || description.length > 1024))
    throw invalidRequest("The description must be a text of at most 1024 characters.");
  if (fileSystemInfo === undefined) return { description };
  if (!isObject(fileSystemInfo)) throw invalidRequest("fileSystemInfo must be an object.");
  const times: Partial<FileTimes> = {};
  if (fileSystemInfo.createdDateTime !== undefined) times.created = time(fileSystemInfo.createdDateTime);
  if (fileSystemInfo.lastModifiedDateTime !== undefined)
    times.modified = time(fileSystemInfo.lastModifiedDateTime);
  return { times, description };
}

function time(value: unknown): number {
  const milliseconds =
    typeof value === "string" && /^\d{4}-\d\d-\d\dT.*Z$/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(milliseconds)) throw invalidRequest(`'${value}' is not a time in UTC.`);
  return milliseconds;
}
