import { scryptSync } from "node:crypto";
import { expect, test } from "vitest";
import { isPassword } from "./password.ts";

test("only the password itself passes", async () => {
  const salt = Buffer.from("some salt");
  const stored = `${salt.toString("base64url")}:${scryptSync("sesame", salt, 32).toString("base64url")}`;
  expect(await isPassword("sesame", stored)).toBe(true);
  for (const other of ["", "sesam", "Sesame", "sesame "]) expect(await isPassword(other, stored)).toBe(false);
});
