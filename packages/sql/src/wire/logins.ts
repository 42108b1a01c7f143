import { createHash, randomBytes } from "node:crypto";
import { createVerifier, mockVerifier, parseVerifier, type Verifier } from "./scram.ts";

/** Who may connect: with the password itself, or with what PostgreSQL would keep of it. */
export type Login = { readonly user: string } & (
  | { readonly password: string }
  | { readonly verifier: string }
);

/** The verifiers of all logins. */
export class Logins {
  #verifiers: ReadonlyMap<string, Verifier> = new Map();
  #mockSecret: Uint8Array = randomBytes(32);

  /** Takes these in place of those before. @throws SqlError 22023 for a malformed verifier */
  async set(logins: readonly Login[]): Promise<void> {
    const mock = createHash("sha256");
    let given = false;
    const entries = logins.map(async (login): Promise<[string, Verifier]> => {
      if ("password" in login) return [login.user, await createVerifier(login.password)];
      const verifier = parseVerifier(login.verifier);
      mock.update(verifier.storedKey).update(verifier.serverKey);
      given = true;
      return [login.user, verifier];
    });
    this.#verifiers = new Map(await Promise.all(entries));
    // Where salts outlive a restart, so do those of users who do not exist.
    this.#mockSecret = given ? mock.digest() : randomBytes(32);
  }

  /** The user's verifier; for an unknown user one that no password fits. */
  find(user: string): Verifier {
    return this.#verifiers.get(user) ?? mockVerifier(this.#mockSecret, user);
  }
}
