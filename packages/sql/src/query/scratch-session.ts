import { SqlError } from "@overcoat/sources";
import { DatabaseError } from "pg";

/** As postgres_fdw sets them in its sessions, so that values read and print the same. */
export const sessionSettings = `SET search_path = pg_catalog, pg_temp;
  SET timezone = 'GMT'; SET datestyle = ISO; SET intervalstyle = postgres; SET extra_float_digits = 3;
  SET standard_conforming_strings = on; SET bytea_output = hex; SET xmloption = content; SET client_min_messages = error`;

/** An error of the scratch database as the statement's own. */
export function asSqlError(error: unknown): unknown {
  if (error instanceof SqlError || !(error instanceof Error)) return error;
  if (error instanceof DatabaseError && error.code)
    return new SqlError(error.code, error.message, { detail: error.detail, hint: error.hint, cause: error });
  return new SqlError("58000", "the PostgreSQL that evaluates statements does not answer", { cause: error });
}
