/**
 * An error as PostgreSQL reports it.
 * SQLSTATE codes: https://www.postgresql.org/docs/current/errcodes-appendix.html (class HV for foreign data).
 */
export class SqlError extends Error {
  override readonly name = "SqlError";
  /** Five characters, e.g. `08001`. */
  readonly sqlState: string;
  readonly detail: string | undefined;
  /** What the reader can do about it. */
  readonly hint: string | undefined;

  constructor(
    sqlState: string,
    message: string,
    more: { detail?: string; hint?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.sqlState = sqlState;
    this.detail = more.detail;
    this.hint = more.hint;
  }
}
