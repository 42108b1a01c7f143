import { randomUUID } from "node:crypto";
import type { Call, Reply } from "../drives/call.ts";

/** A refusal as Graph sends it: `{ error: { code, message, innerError } }`. */
export class GraphError extends Error {
  readonly status: number;
  readonly code: string;
  /** The more specific code inside. */
  readonly inner: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    { inner, headers = {} }: { inner?: string; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.inner = inner;
    this.headers = headers;
  }

  reply(call: Call, now: number): Reply {
    const id = randomUUID();
    const client = call.headers["client-request-id"];
    const innerError = {
      ...(this.inner && { code: this.inner }),
      date: new Date(now).toISOString().slice(0, 19),
      "request-id": id,
      "client-request-id": typeof client === "string" ? client : id,
    };
    return {
      status: this.status,
      headers: { "request-id": id, ...this.headers },
      body: { error: { code: this.code, message: this.message, innerError } },
    };
  }
}

export const invalidRequest = (message: string, inner?: string) =>
  new GraphError(400, "invalidRequest", message, { inner });

export const notFound = (message = "The resource could not be found.") =>
  new GraphError(404, "itemNotFound", message);

export const nameExists = (message = "An item with the same name already exists under the parent.") =>
  new GraphError(409, "nameAlreadyExists", message);

export const tagMismatch = () =>
  new GraphError(412, "resourceModified", "ETag does not match current item's value.");

export const notSupported = (message: string) => new GraphError(501, "notSupported", message);

export const accessDenied = (message = "Access denied.") => new GraphError(403, "accessDenied", message);

export const quotaReached = () =>
  new GraphError(507, "quotaLimitReached", "Insufficient space available.", { inner: "insufficientStorage" });

const codes: Readonly<Record<number, string>> = {
  400: "invalidRequest",
  401: "unauthenticated",
  403: "accessDenied",
  404: "itemNotFound",
  409: "nameAlreadyExists",
  410: "resyncRequired",
  412: "resourceModified",
  416: "invalidRange",
  423: "resourceLocked",
  429: "activityLimitReached",
  503: "serviceNotAvailable",
  507: "quotaLimitReached",
};

/** The error that a status stands for. */
export function errorOf(status: number): GraphError {
  const code = codes[status] ?? "generalException";
  return new GraphError(status, code, `The service answers ${status} (${code}).`);
}
