import type { Reply } from "../drives/call.ts";

interface Details {
  /** `usageLimits`, `global` where not given. */
  readonly domain?: string;
  /** The parameter or header that is at fault. */
  readonly location?: string;
  readonly locationType?: "parameter" | "header";
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal as Google's APIs send it. Clients are to decide on the reason, not on the status. */
export class DriveApiError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly details: Details;

  constructor(status: number, reason: string, message: string, details: Details = {}) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.details = details;
  }

  reply(): Reply {
    const { domain = "global", location, locationType = "parameter", headers } = this.details;
    const { status: code, message, reason } = this;
    const at = location === undefined ? {} : { location, locationType };
    return {
      status: code,
      headers: { "cache-control": "private, max-age=0", ...headers },
      body: { error: { code, message, errors: [{ message, domain, reason, ...at }] } },
    };
  }
}

export const invalid = (message: string, location?: string) =>
  new DriveApiError(400, "invalid", message, { location });

export const badRequest = (message: string) => new DriveApiError(400, "badRequest", message);

export const fileNotFound = (id: string) =>
  new DriveApiError(404, "notFound", `File not found: ${id}.`, { location: "fileId" });

export const forbidden = (reason: string, message: string) => new DriveApiError(403, reason, message);

export const conditionNotMet = () =>
  new DriveApiError(412, "conditionNotMet", "Precondition Failed", {
    location: "If-Match",
    locationType: "header",
  });

const limit = { domain: "usageLimits" };

const reasons: Readonly<Record<number, readonly [reason: string, message: string, details?: Details]>> = {
  400: ["badRequest", "Bad Request"],
  401: ["authError", "Invalid Credentials", { location: "Authorization", locationType: "header" }],
  403: ["insufficientFilePermissions", "The user does not have sufficient permissions for this file."],
  404: ["notFound", "Not Found"],
  409: ["fileIdInUse", "A file already exists with the provided ID."],
  410: ["uploadSessionGone", "The upload session is gone."],
  412: ["conditionNotMet", "Precondition Failed", { location: "If-Match", locationType: "header" }],
  416: ["requestedRangeNotSatisfiable", "Request range not satisfiable", { location: "Range" }],
  429: ["rateLimitExceeded", "Rate Limit Exceeded", limit],
  500: ["internalError", "Internal Error"],
};

/** The error that a status stands for. */
export function errorOf(status: number): DriveApiError {
  const [reason, message, details] = reasons[status] ?? ["backendError", "Backend Error"];
  return new DriveApiError(status, reason, message, details);
}

/** What a call is refused with that is one too many for now. */
export const rateLimited = (status: 403 | 429) =>
  status === 429
    ? errorOf(429)
    : new DriveApiError(403, "userRateLimitExceeded", "User Rate Limit Exceeded", limit);

/** The body of an error, for faults: Google tells several things apart by the reason alone. */
export function errorBody(status: number, reason: string, message = reason): unknown {
  return new DriveApiError(status, reason, message, { domain: "usageLimits" }).reply().body;
}
