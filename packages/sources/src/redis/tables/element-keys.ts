import { SqlError } from "../../error.ts";
import type { Change } from "../../source.ts";
import type { Bytes, Run } from "../client/node.ts";
import { accepted } from "../errors.ts";
import { keyIdentity } from "../keys.ts";
import type { Type } from "../layout.ts";
import { quoted } from "../text.ts";

/**
 * Sees to it that no command fails inside a transaction, which Redis would not undo.
 * @throws SqlError 42809 when a key that rows are added to is of another type
 */
export async function requireType(
  changes: readonly Change[],
  type: Type,
  keysOf: (change: Change) => readonly Bytes[],
  run: Run,
): Promise<void> {
  const keys = new Map<string, Bytes>();
  for (const change of changes) {
    if (change.kind !== "delete") for (const key of keysOf(change)) keys.set(keyIdentity(key), key);
  }
  const replies = await run([...keys.values()].map((key) => ["TYPE", key]));
  for (const [index, key] of [...keys.values()].entries()) {
    const found = accepted("TYPE", replies[index]!);
    if (found === type || found === "none") continue;
    throw new SqlError("42809", `The Redis key ${quoted(key)} is a ${found}, not a ${type}`, {
      hint: "Give the row another key, or delete this one.",
    });
  }
}
