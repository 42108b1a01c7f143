import { SqlError } from "../error.ts";

/** An answer of the Management API or of the token endpoint that is no success. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly errorCode: string | undefined;
}

/** Reads a refusal from a body of either form: `{ message, errorCode }` or `{ error, error_description }`. */
export function refusal(status: number, body: unknown): Refusal {
  const fields = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const text = (name: string) => (typeof fields[name] === "string" ? fields[name] : undefined);
  return {
    status,
    message: text("message") ?? text("error_description") ?? text("error") ?? `status ${status}`,
    errorCode: text("errorCode") ?? text("error"),
  };
}

/** What PostgreSQL is told of a refusal of `request`, which is a method and a path. */
export function refused(request: string, { status, message, errorCode }: Refusal): SqlError {
  const detail = `${request} was answered with ${status}${errorCode ? ` ${errorCode}` : ""}: ${message}`;
  if (status === 401)
    return new SqlError("28000", "Auth0 does not accept the credentials", {
      detail,
      hint: "Check client_id and client_secret, or api_key, which may have expired.",
    });
  if (status === 403)
    return new SqlError("42501", "Auth0 does not allow this to the application", {
      detail,
      hint: "Authorize the application for the Management API, with the scopes that the detail names.",
    });
  // An id of the wrong form is refused before it is looked for.
  if (status === 404 || errorCode === "invalid_uri")
    return new SqlError("02000", "Auth0 does not have this object", { detail });
  if (status === 409) return new SqlError("23505", "Auth0 has such an object already", { detail });
  if (status === 429)
    return new SqlError("53400", "Auth0's rate limit is exceeded", {
      detail,
      hint: "Ask for fewer rows, or look rows up by their keys.",
    });
  if (status >= 500) return new SqlError("58000", "Auth0 failed to answer", { detail });
  return new SqlError("HV000", "Auth0 refused the request", { detail });
}

/** What PostgreSQL is told when no answer came. */
export function unreachable(request: string, domain: string, cause: unknown): SqlError {
  const reasons: string[] = [];
  for (let error = cause; error instanceof Error; error = error.cause)
    if (!reasons.includes(error.message)) reasons.push(error.message);
  const connected = !reasons.some((reason) => /ECONNREFUSED|ENOTFOUND|EAI_AGAIN/.test(reason));
  return new SqlError(connected ? "08006" : "08001", `Auth0 cannot be reached at ${domain}`, {
    detail: `${request}: ${reasons.join(": ")}`,
    hint: "Check the server's option domain and the network.",
    cause,
  });
}
