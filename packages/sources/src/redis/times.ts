import type { Column, Value } from "../source.ts";
import type { Bytes, Command, Reply } from "./client/node.ts";
import { accepted } from "./errors.ts";
import type { Role } from "./layout.ts";
import { plainType } from "./text.ts";

/** Columns that show when a key expires. */
export type TimeRole = "ttl" | "expires_at";

export const isTime = (role: Role | undefined): role is TimeRole => role === "ttl" || role === "expires_at";

/** PEXPIRETIME came with Redis 7, so both times come of PTTL, which Redis 6 has too. */
export const timeCommand = (key: Bytes): Command => ["PTTL", key];

/** Answer of PTTL for a key that does not exist. */
const gone = -2;
/** Answer for one that does not expire. */
const forever = -1;

export const isGone = (reply: Reply) => accepted("PTTL", reply) === gone;

/** PTTL's answer, which came at `now`, as a value of the column. */
export function timeCell(role: TimeRole, { type }: Column): (reply: Reply, now: number) => Value {
  const plain = plainType(type);
  return (reply, now) => {
    const milliseconds = accepted("PTTL", reply) as number;
    if (milliseconds === forever) return null;
    if (role === "expires_at") return new Date(now + milliseconds);
    const seconds = milliseconds / 1000;
    if (plain === "interval") return `${seconds} seconds`;
    return plain.includes("int") ? Math.ceil(seconds) : seconds;
  };
}
