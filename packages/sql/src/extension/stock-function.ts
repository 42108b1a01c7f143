/** An expression for the quoted name of a function of the postgres_fdw extension, in whatever schema it is. */
export const stockFunction = (role: "fdwhandler" | "fdwvalidator") =>
  `(SELECT pg_catalog.format('%I.%I', nspname, proname) FROM pg_catalog.pg_foreign_data_wrapper w
      JOIN pg_catalog.pg_proc p ON p.oid = w.${role} JOIN pg_catalog.pg_namespace n ON n.oid = pronamespace
      WHERE fdwname = 'postgres_fdw')`;
