import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { saslprep } from "@mongodb-js/saslprep";
import { SqlError } from "@overcoat/sources";

/** What is kept of a password (RFC 5802, section 3): it proves one, but cannot be used as one. */
export interface Verifier {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

export const scramMechanism = "SCRAM-SHA-256";
export const scramPlusMechanism = "SCRAM-SHA-256-PLUS";

/** As PostgreSQL derives them. */
const iterations = 4096;
const saltBytes = 16;
const nonceBytes = 18;
const keyBytes = 32;
const binding = "p=tls-server-end-point";

const derive = promisify(pbkdf2);
const hmac = (key: Uint8Array, text: string) => createHmac("sha256", key).update(text).digest();
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

/** Makes a verifier with a salt of its own. */
export async function createVerifier(password: string): Promise<Verifier> {
  const salt = randomBytes(saltBytes);
  const salted = await derive(prepared(password), salt, iterations, keyBytes, "sha256");
  return {
    iterations,
    salt,
    storedKey: sha256(hmac(salted, "Client Key")),
    serverKey: hmac(salted, "Server Key"),
  };
}

/**
 * Reads a verifier as PostgreSQL writes it into pg_authid: `SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>`.
 * @throws SqlError 22023
 */
export function parseVerifier(text: string): Verifier {
  const match = /^SCRAM-SHA-256\$(\d{1,9}):([\w+/=]+)\$([\w+/=]+):([\w+/=]+)$/.exec(text);
  const [salt, storedKey, serverKey] = (match ?? []).slice(2).map((part) => Buffer.from(part, "base64"));
  if (!match || storedKey?.length !== keyBytes || serverKey?.length !== keyBytes || !salt?.length)
    throw new SqlError(
      "22023",
      "a login's verifier is not of the form SCRAM-SHA-256$4096:salt$StoredKey:ServerKey",
    );
  return { iterations: Number(match[1]), salt, storedKey, serverKey };
}

/** A verifier that no password fits, always the same for a user, so that nobody learns who exists. */
export function mockVerifier(secret: Uint8Array, user: string): Verifier {
  const salt = hmac(secret, user).subarray(0, saltBytes);
  return { iterations, salt, storedKey: randomBytes(keyBytes), serverKey: randomBytes(keyBytes) };
}

/** PostgreSQL takes a password that SASLprep (RFC 4013) refuses as it is. */
function prepared(password: string): string {
  try {
    return saslprep(password);
  } catch {
    return password;
  }
}

/** The server's side of one SCRAM-SHA-256 exchange (RFC 5802, RFC 7677). */
export class ScramExchange {
  readonly #verifier: Verifier;
  readonly #plus: boolean;
  readonly #endPoint: Buffer | undefined;
  #header = "";
  #clientFirst = "";
  #serverFirst = "";
  #nonce = "";

  /** @param endPoint The hash of the server's certificate (RFC 5929, section 4); without one there is no binding. */
  constructor(mechanism: string, verifier: Verifier, endPoint?: Buffer) {
    this.#plus = mechanism === scramPlusMechanism;
    if (!(this.#plus ? endPoint : mechanism === scramMechanism))
      throw violation(`the SASL mechanism ${JSON.stringify(mechanism)} was not offered`);
    this.#verifier = verifier;
    this.#endPoint = endPoint;
  }

  /** Answers the client's first message. @throws SqlError 08P01, 28000 */
  first(message: string): string {
    const match = /^((n|y|p=[^,]*),[^,]*,)(n=[^,]*,r=([!-+\--~]+)(?:,.*)?)$/.exec(message);
    if (!match) throw violation("the client's first SCRAM message is malformed");
    const [, header, flag, bare, nonce] = match;
    if (this.#plus && flag !== binding) throw violation("channel binding of another type than was offered");
    if (!this.#plus && flag!.startsWith("p=")) throw violation("channel binding without SCRAM-SHA-256-PLUS");
    if (flag === "y" && this.#endPoint)
      throw new SqlError("28000", "the client was told that channel binding is not offered here, but it is", {
        detail: "Something between the client and this server may have changed their messages.",
      });
    this.#header = header!;
    this.#clientFirst = bare!;
    this.#nonce = nonce! + randomBytes(nonceBytes).toString("base64");
    const { salt, iterations } = this.#verifier;
    this.#serverFirst = `r=${this.#nonce},s=${salt.toString("base64")},i=${iterations}`;
    return this.#serverFirst;
  }

  /** Answers the client's last message; undefined when the password is wrong. @throws SqlError 08P01 */
  final(message: string): string | undefined {
    const match = /^(c=([\w+/=]+),r=([!-+\--~]+)(?:,.*)?),p=([\w+/=]+)$/.exec(message);
    if (!match) throw violation("the client's last SCRAM message is malformed");
    const [, withoutProof, bound, nonce, proofText] = match;
    const header = Buffer.from(this.#header);
    const expected = this.#plus ? Buffer.concat([header, this.#endPoint!]) : header;
    if (bound !== expected.toString("base64"))
      throw new SqlError("28000", "SCRAM channel binding check failed");
    const proof = Buffer.from(proofText!, "base64");
    const authMessage = `${this.#clientFirst},${this.#serverFirst},${withoutProof}`;
    const { storedKey, serverKey } = this.#verifier;
    const signature = hmac(storedKey, authMessage);
    if (proof.length !== keyBytes) throw violation("the client's SCRAM proof has a wrong length");
    const clientKey = proof.map((byte, index) => byte ^ signature[index]!);
    if (nonce !== this.#nonce || !timingSafeEqual(sha256(clientKey), storedKey)) return undefined;
    return `v=${hmac(serverKey, authMessage).toString("base64")}`;
  }
}

const violation = (what: string) => new SqlError("08P01", what);
