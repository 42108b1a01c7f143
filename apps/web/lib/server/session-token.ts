import { createHmac } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";
import type { Environment } from "./environment.ts";

export const sessionSeconds = 7 * 24 * 60 * 60;
const audience = "overcoat-console";

/** A new password makes old sessions invalid. */
const keyOf = ({ secret, passwordHash }: Pick<Environment, "secret" | "passwordHash">) =>
  createHmac("sha256", secret).update(passwordHash).digest();

/** What the session's cookie holds: signed, and good for a week. */
export const makeSessionToken = (settings: Pick<Environment, "secret" | "passwordHash">) =>
  new SignJWT()
    .setProtectedHeader({ alg: "HS256" })
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime(`${sessionSeconds} s`)
    .sign(keyOf(settings));

export async function isSessionToken(
  token: string | undefined,
  settings: Pick<Environment, "secret" | "passwordHash">,
): Promise<boolean> {
  if (!token) return false;
  return jwtVerify(token, keyOf(settings), { algorithms: ["HS256"], audience }).then(
    () => true,
    () => false,
  );
}

/** Browsers keep a cookie with this beginning from other hosts and plain http. */
export const sessionCookie = ({ url }: Pick<Environment, "url">) =>
  url.startsWith("https:") ? "__Host-overcoat-session" : "overcoat-session";
