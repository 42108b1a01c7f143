import { SqlError } from "@overcoat/sources";
import { Fields } from "./reader.ts";

/** What a client sends before it speaks the protocol. */
export type Startup =
  | { readonly kind: "ssl" | "gss" }
  | { readonly kind: "cancel"; readonly process: number; readonly key: Buffer }
  | {
      readonly kind: "start";
      /** As asked for: it may be newer than `newestVersion`. */
      readonly version: number;
      readonly parameters: ReadonlyMap<string, string>;
      /** Options of the protocol (`_pq_.…`): we know none. */
      readonly unknown: readonly string[];
    };

const major3 = 3 << 16;
/** The newest version that is spoken here: 3.2, which knows longer cancel keys. */
export const newestVersion = major3 | 2;
const codes = { cancel: 80877102, ssl: 80877103, gss: 80877104 };

/**
 * Reads a start-up packet.
 * @throws SqlError 0A000 for a protocol before or after 3, 08P01 for a packet that is none, 28000 without a user
 */
export function readStartup(packet: Buffer): Startup {
  const fields = new Fields(packet);
  const version = fields.int32();
  if (version === codes.ssl) return { kind: "ssl" };
  if (version === codes.gss) return { kind: "gss" };
  if (version === codes.cancel)
    return { kind: "cancel", process: fields.int32(), key: fields.bytes(fields.left) };
  if (version >> 16 !== 3)
    throw new SqlError("0A000", `protocol version ${version >> 16}.${version & 0xffff} is not spoken here`, {
      hint: "Connect with protocol version 3.0 to 3.2.",
    });
  const parameters = new Map<string, string>();
  const unknown: string[] = [];
  for (let name = fields.text(); name !== ""; name = fields.text()) {
    const value = fields.text();
    if (name.startsWith("_pq_.")) unknown.push(name);
    else parameters.set(name, value);
  }
  fields.end();
  if (!parameters.get("user")) throw new SqlError("28000", "the start-up packet names no user");
  return { kind: "start", version, parameters, unknown };
}
