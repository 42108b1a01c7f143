import { SqlError } from "@overcoat/sources";

/** The PostgreSQL that this server behaves like: postgres_fdw and drivers choose what they send by it. */
const serverVersion = "18.0 (Overcoat)";

/** Parameters that the client is told of at start-up and when they change, by their lower-case names. */
const reported: Readonly<Record<string, readonly [name: string, value: string]>> = {
  application_name: ["application_name", ""],
  client_encoding: ["client_encoding", "UTF8"],
  datestyle: ["DateStyle", "ISO, MDY"],
  default_transaction_read_only: ["default_transaction_read_only", "off"],
  in_hot_standby: ["in_hot_standby", "off"],
  integer_datetimes: ["integer_datetimes", "on"],
  intervalstyle: ["IntervalStyle", "postgres"],
  is_superuser: ["is_superuser", "off"],
  search_path: ["search_path", "pg_catalog"],
  server_encoding: ["server_encoding", "UTF8"],
  server_version: ["server_version", serverVersion],
  session_authorization: ["session_authorization", ""],
  standard_conforming_strings: ["standard_conforming_strings", "on"],
  timezone: ["TimeZone", "GMT"],
};

/** Values that can be set: what is sent always has these forms. */
const settable: Readonly<Record<string, RegExp>> = {
  application_name: /^/,
  client_encoding: /^(?:utf-?8|unicode|sql_ascii)$/i,
  datestyle: /^iso(?:, ?(?:mdy|ymd|dmy))?$/i,
  extra_float_digits: /^[1-3]$/,
  intervalstyle: /^postgres$/i,
  search_path: /^/,
  standard_conforming_strings: /^on$/i,
  statement_timeout: /^\d{1,9}(?:ms|s|min|h)?$/,
  timezone: /^(?:gmt|utc|etc\/utc)$/i,
};

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 };

/** The settings of a session, as far as there is something to set. */
export class Settings {
  readonly #values = new Map(Object.values(reported));
  /** Milliseconds; 0 for none. */
  statementTimeout = 0;

  /** @throws SqlError 0A000 for another encoding than UTF-8 */
  constructor(user: string, startup: ReadonlyMap<string, string>) {
    this.#values.set("session_authorization", user);
    for (const name of ["application_name", "client_encoding", "statement_timeout"]) {
      const value = startup.get(name);
      if (value !== undefined) this.set(name, value);
    }
  }

  get parameters(): Iterable<readonly [name: string, value: string]> {
    return this.#values;
  }

  /**
   * @returns what the client must be told, if anything
   * @throws SqlError 42704 for a name, 0A000 for a value that cannot be set
   */
  set(name: string, value: string): readonly [name: string, value: string] | undefined {
    const key = name.toLowerCase();
    const values = settable[key];
    if (!values) throw new SqlError("42704", `parameter "${name}" cannot be set on the SQL server`);
    if (!values.test(value))
      throw new SqlError("0A000", `parameter "${name}" cannot be set to "${value}" on the SQL server`, {
        ...(key === "client_encoding" && { hint: "The database must have the encoding UTF8." }),
      });
    if (key === "statement_timeout") {
      const [, digits, unit = "ms"] = /^(\d+)(\D*)$/.exec(value)!;
      this.statementTimeout = Number(digits) * (units[unit || "ms"] ?? 1);
    }
    const known = reported[key];
    if (!known || this.#values.get(known[0]) === value) return undefined;
    this.#values.set(known[0], value);
    return [known[0], value];
  }
}
