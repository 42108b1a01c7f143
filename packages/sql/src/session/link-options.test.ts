import { expect, test } from "vitest";
import { parseLinkedServer, parseLinkedTable, parseOptions } from "./link-options.ts";

test("libpq's options are read with their escapes", () => {
  const link = JSON.stringify({ a: 'x y\\z\n"' });
  const escaped = link.replace(/[\\\s]/g, "\\$&");
  expect([...parseOptions(`-c overcoat.link=${escaped}  -cOther.Name=1 --statement-timeout=5s`)]).toEqual([
    ["overcoat.link", link],
    ["other.name", "1"],
    ["statement_timeout", "5s"],
  ]);
  expect(parseOptions("").size).toBe(0);
});

test("other options are refused without being shown", () => {
  for (const wrong of ["-d secret", "-c", "-c secret", "secret"])
    expect(() => parseOptions(wrong)).toThrow(
      expect.objectContaining({ sqlState: "22023", message: expect.not.stringContaining("secret") }),
    );
});

test("what the linker writes is read, anything else is refused with a hint and without being shown", () => {
  const server = { wrapper: "redis_fdw", server: "s", options: { url: "redis://x" } };
  expect(parseLinkedServer(JSON.stringify(server))).toEqual(server);
  const table = {
    table: "t",
    columns: [
      ["a", "text"],
      ["b", "jsonb", { x: "1" }],
    ],
    collation: "C",
    remote: ["s", "t"],
  };
  expect(parseLinkedTable(JSON.stringify(table))).toEqual(table);
  for (const wrong of ["", "secret", "{}", '{"table":"t","columns":[["secret"]]}'])
    expect(() => parseLinkedTable(wrong)).toThrow(
      expect.objectContaining({
        sqlState: "42P01",
        message: expect.not.stringContaining("secret"),
        hint: expect.stringContaining("relink"),
      }),
    );
});
