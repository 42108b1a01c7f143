import { scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify<string, Buffer, number, Buffer>(scrypt);

/** Whether a password is the one that `salt:hash` was made of, in a time that does not tell how close it is. */
export async function isPassword(given: string, stored: string): Promise<boolean> {
  const [salt = "", hash = ""] = stored.split(":");
  const expected = Buffer.from(hash, "base64url");
  const actual = await derive(given, Buffer.from(salt, "base64url"), expected.length);
  return timingSafeEqual(actual, expected);
}
