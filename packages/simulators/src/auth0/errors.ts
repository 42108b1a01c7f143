import { STATUS_CODES } from "node:http";

/** A refusal as the Management API sends it: `{ statusCode, error, message, errorCode }`. */
export class ApiError extends Error {
  readonly status: number;
  readonly errorCode: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, errorCode?: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.errorCode = errorCode;
    this.headers = headers;
  }

  body() {
    const { status: statusCode, message, errorCode } = this;
    return { statusCode, error: STATUS_CODES[statusCode], message, errorCode };
  }
}

export const invalidBody = (problem: string) =>
  new ApiError(400, `Payload validation error: '${problem}'.`, "invalid_body");

export const invalidQuery = (problem: string) =>
  new ApiError(400, `Query validation error: '${problem}'.`, "invalid_query_string");

export const noUser = () => new ApiError(404, "The user does not exist.", "inexistent_user");
