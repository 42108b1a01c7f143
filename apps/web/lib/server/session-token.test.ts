import { SignJWT } from "jose";
import { expect, test } from "vitest";
import { isSessionToken, makeSessionToken, sessionCookie } from "./session-token.ts";

const settings = { secret: "s".repeat(64), passwordHash: "c2FsdA:aGFzaA" };

test("a session holds for its password and its secret only", async () => {
  const token = await makeSessionToken(settings);
  expect(await isSessionToken(token, settings)).toBe(true);
  expect(await isSessionToken(token, { ...settings, passwordHash: "c2FsdA:b3RoZXI" })).toBe(false);
  expect(await isSessionToken(token, { ...settings, secret: "t".repeat(64) })).toBe(false);
  expect(await isSessionToken(undefined, settings)).toBe(false);
  expect(await isSessionToken("", settings)).toBe(false);
});

test("a token that was changed, is unsigned or is for something else holds not", async () => {
  const [head, body, signature] = (await makeSessionToken(settings)).split(".") as [string, string, string];
  const changed = Buffer.from(body, "base64url")
    .toString()
    .replace(/"exp":\d+/, '"exp":9999999999');
  expect(
    await isSessionToken([head, Buffer.from(changed).toString("base64url"), signature].join("."), settings),
  ).toBe(false);
  const unsigned = Buffer.from('{"alg":"none"}').toString("base64url");
  expect(await isSessionToken(`${unsigned}.${body}.`, settings)).toBe(false);
  const other = new SignJWT()
    .setProtectedHeader({ alg: "HS256" })
    .setAudience("else")
    .setExpirationTime("1h");
  expect(await isSessionToken(await other.sign(Buffer.from(settings.secret)), settings)).toBe(false);
});

test("only HTTPS takes a cookie that other hosts cannot set", () => {
  expect(sessionCookie({ url: "https://console.example.com" })).toMatch(/^__Host-/);
  expect(sessionCookie({ url: "http://127.0.0.1:3000" })).not.toMatch(/^__/);
});
