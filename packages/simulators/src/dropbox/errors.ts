import { randomBytes, randomInt } from "node:crypto";
import type { Reply } from "../drives/call.ts";

/** A member of a union as the API writes it. */
export interface Tagged {
  readonly ".tag": string;
  readonly [field: string]: unknown;
}

/** A union's member that holds another union's, or the fields of a struct beside its tag. */
export function tagged(tag: string, value?: Tagged | Readonly<Record<string, unknown>>): Tagged {
  if (value === undefined) return { ".tag": tag };
  return ".tag" in value ? { ".tag": tag, [tag]: value } : { ".tag": tag, ...value };
}

/** A refusal, as an answer of the API. */
export class ApiError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;

  constructor(status: number, body: unknown, headers: Record<string, string> = {}) {
    super(typeof body === "string" ? body : JSON.stringify(body));
    this.status = status;
    this.body = body;
    this.headers = headers;
  }

  reply(): Reply {
    return { status: this.status, headers: { ...requestId(), ...this.headers }, body: this.body };
  }
}

/** What a route itself refuses: 409 with a union. */
export class RouteError extends ApiError {
  readonly error: Tagged;

  constructor(error: Tagged) {
    super(409, { error_summary: summary(error), error });
    this.error = error;
  }
}

/** What breaks the rules of the protocol: 400 with plain text. */
export const badRequest = (message: string) =>
  new ApiError(400, message, { "content-type": "text/plain; charset=utf-8" });

/** 401 with a union about the token. */
export const unauthorized = (tag: string, fields?: Record<string, unknown>) =>
  new ApiError(401, errorBody(tagged(tag, fields)));

/** 429: too many calls, or too many commits at once. */
export function rateLimited(reason: "too_many_requests" | "too_many_write_operations", seconds = 1) {
  const error = { reason: tagged(reason), retry_after: seconds };
  return new ApiError(
    429,
    { error_summary: `${reason}/${dots()}`, error },
    { "retry-after": String(seconds) },
  );
}

/** The error of a status, for faults. */
export function errorOf(status: number): ApiError {
  if (status === 400) return badRequest("Error in call to the API: a fault of the stand-in.");
  if (status === 401) return unauthorized("expired_access_token");
  if (status === 403) return new ApiError(403, errorBody(tagged("team_access_denied")));
  if (status === 409) return new RouteError(tagged("too_many_write_operations"));
  if (status === 429) return rateLimited("too_many_requests");
  return new ApiError(status, `Error ${status}\n`, { "content-type": "text/plain; charset=utf-8" });
}

export function errorBody(error: Tagged): Readonly<Record<string, unknown>> {
  return { error_summary: summary(error), error };
}

export const requestId = () => ({ "x-dropbox-request-id": randomBytes(16).toString("hex") });

/** The tags from the outside in, and some dots that nobody shall rely on. */
function summary(error: Tagged): string {
  const tags: string[] = [];
  for (let at: Tagged | undefined = error; at; at = inner(at)) tags.push(at[".tag"]);
  return `${tags.join("/")}/${dots()}`;
}

function inner(error: Tagged): Tagged | undefined {
  const value = error[error[".tag"]] ?? error.reason;
  return typeof value === "object" && value !== null && ".tag" in value ? (value as Tagged) : undefined;
}

const dots = () => ".".repeat(randomInt(4));
