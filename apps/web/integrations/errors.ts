/**
 * - `invalid`: an argument was refused before anything was sent
 * - `not-configured`: no database, storage or foreign table is there to ask
 * - `unavailable`: the database or the service behind it cannot be reached, or is overloaded
 * - `denied`: wrong credentials, or no right to do this
 * - `conflict`: another changed it meanwhile; try again
 * - `timeout`: no answer in time
 * - `failed`: anything else
 */
export type WrapperErrorKind =
  | "invalid"
  | "not-configured"
  | "unavailable"
  | "denied"
  | "conflict"
  | "timeout"
  | "failed";

/** What every helper throws. Missing rows are no errors: they are `undefined` or `false`. */
export class WrapperError extends Error {
  override readonly name = "WrapperError";
  readonly kind: WrapperErrorKind;
  /** SQLSTATE of PostgreSQL, where it answered. */
  readonly sqlState: string | undefined;

  constructor(kind: WrapperErrorKind, message: string, options: { sqlState?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.sqlState = options.sqlState;
  }
}

/** By SQLSTATE class, the longer first: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const kinds: Readonly<Record<string, WrapperErrorKind>> = {
  "42501": "denied",
  "42P01": "not-configured",
  "42883": "not-configured",
  "57014": "timeout",
  "22": "invalid",
  "08": "unavailable",
  "28": "denied",
  "40": "conflict",
  "53": "unavailable",
  "57": "unavailable",
  HV: "not-configured",
  PGRST202: "not-configured",
};

/** Makes a `WrapperError` of what a PostgreSQL or Supabase client threw or gave as its error. */
export function asWrapperError(error: unknown): WrapperError {
  if (error instanceof WrapperError) return error;
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  const told = typeof message === "string" && message !== "" ? message : String(code ?? error);
  if (typeof code !== "string") return new WrapperError("failed", told, { cause: error });
  const kind = kinds[code] ?? kinds[code.slice(0, 2)];
  if (/^[0-9A-Z]{5}$/.test(code))
    return new WrapperError(kind ?? "failed", told, { sqlState: code, cause: error });
  // Codes of Node.js (ECONNREFUSED) and of the client (CONNECT_TIMEOUT, CONNECTION_CLOSED).
  const isConnection = /^(E[A-Z]+|CONNECT|CONNECTION_)/.test(code);
  return new WrapperError(isConnection ? "unavailable" : (kind ?? "failed"), told, { cause: error });
}
