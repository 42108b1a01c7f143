import { DriveError, type DriveErrorCode } from "../../drive.ts";
import { redact } from "./redact.ts";
import type { Headers } from "./transport.ts";

/** An answer that is no success, as the service sent it. */
export interface Refusal {
  /** As the request names it. */
  readonly endpoint: string;
  readonly status: number;
  readonly headers: Headers;
  /** At most the first 64 KiB. */
  readonly text: string;
  /** The text where it is JSON, else undefined. */
  readonly json: unknown;
}

/**
 * What helps against a refusal: another `token`; to `wait`, where nothing was done because the service asks for fewer
 * calls; to `repeat`, where the service failed and may have done it or not. Where nothing is said the refusal is final.
 */
export type Remedy = "token" | "wait" | "repeat";

export interface Verdict {
  /** What the caller gets when no remedy is left. */
  readonly error: DriveError;
  readonly remedy?: Remedy;
}

/**
 * The service may have done what it was asked to, and its answer was lost. Who sees this looks at the drive before
 * repeating the call.
 */
export class LostAnswer extends DriveError {
  constructor(message: string) {
    super("Unavailable", message);
    this.name = "LostAnswer";
  }
}

const codes: Readonly<Record<number, DriveErrorCode>> = {
  401: "Unauthenticated",
  403: "AccessDenied",
  404: "NotFound",
  409: "Exists",
  410: "Gone",
  412: "Changed",
  413: "TooLarge",
  423: "Unavailable",
  429: "Throttled",
  507: "NoSpace",
  509: "Throttled",
};

/**
 * What a status says by itself: where a vendor's own error codes say nothing else, this is the verdict.
 * @param name the service, for the message
 * @param reason what the service says, which is shown without addresses
 * @param code another one than the status stands for
 */
export function judgeStatus(
  name: string,
  { endpoint, status, headers }: Refusal,
  reason: string,
  code: DriveErrorCode = codes[status] ?? "Unavailable",
): Verdict {
  const said = redact(reason).trim().slice(0, 500);
  const error = new DriveError(
    code,
    `${name} answered ${endpoint} with ${status}${said === "" ? "" : `: ${said}`}`,
  );
  const asked = headers["retry-after"] !== undefined;
  if (status === 401) return { error, remedy: "token" };
  if (status === 429 || status === 509 || (status === 503 && asked)) return { error, remedy: "wait" };
  if (status === 408 || status === 423 || status >= 500) {
    const final = status === 501 || status === 505 || status === 507;
    return final ? { error } : { error, remedy: "repeat" };
  }
  return { error };
}
