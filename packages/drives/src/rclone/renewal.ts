import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { DriveError } from "../drive.ts";
import type { Renew } from "../oauth/access-tokens.ts";
import { SignInEnded } from "../oauth/client.ts";
import { formatToken } from "../oauth/token.ts";
import type { TokenStore } from "../oauth/token-store.ts";

const longest = 60_000;
/** One call of the drive, before which rclone needs a token that has not ended. */
const once = ["--retries", "1", "--low-level-retries", "2", "--contimeout", "10s", "--timeout", "20s"];

/**
 * Lets the installed rclone renew a token that it got with a client id of its own, which only it may use. It keeps
 * the new one in its file itself.
 */
export function renewByRclone(name: string, file: string, store: TokenStore): Renew {
  return async (token) => {
    // What rclone takes for ended it renews.
    const variable = `RCLONE_CONFIG_${name.toUpperCase()}_TOKEN`;
    const env = { ...process.env, [variable]: formatToken({ ...token, expires: 1 }) };
    let told = "";
    try {
      const args = ["--config", file, "about", `${name}:`, ...once];
      await promisify(execFile)("rclone", args, { env, timeout: longest, killSignal: "SIGKILL" });
    } catch (error) {
      const { code, stderr } = error as { code?: unknown; stderr?: string };
      if (code === "ENOENT")
        throw new DriveError(
          "Unauthenticated",
          `the sign-in of ${name}: belongs to rclone's own client id, so that only rclone can renew it, and there is no rclone on PATH: install it, or sign in with a client id of your own by "overcoat login"`,
        );
      told = String(stderr);
    }
    const kept = await store.read();
    if (kept && kept.accessToken !== token.accessToken) return kept;
    if (/invalid_grant|invalid_client|empty token|token expired/i.test(told))
      throw new SignInEnded("rclone could not renew it");
    throw new DriveError("Unavailable", `rclone could not renew the sign-in of ${name}:`);
  };
}
