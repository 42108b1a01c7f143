import { SqlError } from "../error.ts";
import type { Column, Tuple, Value } from "../source.ts";
import type { Bytes, Command, Reply } from "./client/node.ts";
import { accepted } from "./errors.ts";
import type { Layout, Role } from "./layout.ts";
import { plainType, quoted } from "./text.ts";

/** Columns that show when a key expires. */
export type TimeRole = "ttl" | "expires_at";

export const isTime = (role: Role | undefined): role is TimeRole => role === "ttl" || role === "expires_at";

/** Both come of PTTL, as PEXPIRETIME is known only from Redis 7 on. */
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

/** When a new row's key expires: as its columns say, else as the table's option `ttl` does. */
export function insertedTime(layout: Layout, key: Bytes, after: Tuple): Command[] {
  const commands = changedTime(layout, key, [], after).filter(([name]) => name !== "PERSIST");
  if (commands.length > 0 || layout.ttl === undefined) return commands;
  return [["PEXPIRE", key, String(layout.ttl)]];
}

/** Commands for the times that an update sets. */
export function changedTime(
  { roles, definition }: Layout,
  key: Bytes,
  before: Tuple,
  after: Tuple,
): Command[] {
  return [...roles.entries()].flatMap(([column, role]): Command[] => {
    const text = after[column];
    if (!isTime(role) || text === undefined || text === before[column]) return [];
    if (text === null || text === "infinity") return [["PERSIST", key]];
    if (role === "expires_at") return [["PEXPIREAT", key, String(instant(text))]];
    return [["PEXPIRE", key, String(duration(text, definition.columns[column]!))]];
  });
}

/** `2026-11-24 08:00:00.5+00`, as PostgreSQL prints it in GMT → milliseconds since 1970 */
function instant(text: string): number {
  const time = Date.parse(text.replace(" ", "T").replace(/\+00$/, "Z"));
  if (Number.isNaN(time)) throw new SqlError("22008", `Redis cannot let a key expire at ${quoted(text)}`);
  return time;
}

const units: Readonly<Record<string, number>> = { year: 365.25 * 86_400, mon: 30 * 86_400, day: 86_400 };

/** `1 day 02:03:04.5` in a column of intervals, else seconds → milliseconds, as EXTRACT(EPOCH) counts them */
function duration(text: string, { name, type }: Column): number {
  let seconds = Number(text);
  if (plainType(type) === "interval") {
    seconds = 0;
    for (const [, count, unit] of text.matchAll(/(-?\d+) (year|mon|day)s?/g))
      seconds += Number(count) * units[unit!]!;
    const clock = /([-+]?)(\d+):(\d+):(\d+(?:\.\d+)?)$/.exec(text);
    if (clock) {
      const part = Number(clock[2]) * 3600 + Number(clock[3]) * 60 + Number(clock[4]);
      seconds += clock[1] === "-" ? -part : part;
    }
  }
  const milliseconds = Math.round(seconds * 1000);
  if (Number.isSafeInteger(milliseconds) && milliseconds > 0) return milliseconds;
  throw new SqlError(
    "22023",
    `The column "${name}" must be a time that is still to come, not ${quoted(text)}`,
    {
      hint: "NULL stands for a key that does not expire.",
    },
  );
}
