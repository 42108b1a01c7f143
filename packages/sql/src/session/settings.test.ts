import { expect, test } from "vitest";
import { Settings } from "./settings.ts";

test("what postgres_fdw and drivers set is accepted, and told where clients are told", () => {
  const settings = new Settings(
    "u",
    new Map([
      ["application_name", "x"],
      ["client_encoding", "SQL_ASCII"],
    ]),
  );
  const parameters = Object.fromEntries(settings.parameters);
  expect(parameters).toMatchObject({
    session_authorization: "u",
    application_name: "x",
    standard_conforming_strings: "on",
    server_version: expect.stringMatching(/^18\./),
  });
  for (const [name, value] of [
    ["search_path", "pg_catalog"],
    ["timezone", "GMT"],
    ["timezone", "UTC"],
    ["datestyle", "ISO"],
    ["intervalstyle", "postgres"],
    ["extra_float_digits", "3"],
    ["client_encoding", "UTF8"],
  ] as const)
    expect(() => settings.set(name, value)).not.toThrow();
  expect(settings.set("application_name", "psql")).toEqual(["application_name", "psql"]);
  expect(settings.set("application_name", "psql")).toBeUndefined();
});

test("a time-out may have a unit", () => {
  const settings = new Settings("u", new Map([["statement_timeout", "5s"]]));
  expect(settings.statementTimeout).toBe(5000);
  settings.set("statement_timeout", "250");
  expect(settings.statementTimeout).toBe(250);
});

test("what would change how values are sent is refused", () => {
  const settings = new Settings("u", new Map());
  expect(() => settings.set("datestyle", "SQL")).toThrow(expect.objectContaining({ sqlState: "0A000" }));
  expect(() => settings.set("work_mem", "1GB")).toThrow(expect.objectContaining({ sqlState: "42704" }));
  expect(() => new Settings("u", new Map([["client_encoding", "LATIN1"]]))).toThrow(
    expect.objectContaining({ sqlState: "0A000", hint: expect.stringContaining("UTF8") }),
  );
});
