import type { Bytes, Command, Run } from "./client/node.ts";
import { accepted } from "./errors.ts";
import { exactKey } from "./keys.ts";
import { Seen } from "./seen.ts";
import { Undecodable } from "./text.ts";

/** Rows of a batch where they are small. */
export const batchRows = 1000;
/** Bytes of a batch where they are large. */
const batchBytes = 4 << 20;
/** COUNT, the slots that one SCAN looks at: more of them where few keys match. */
const firstCount = 100;
const mostCount = 10_000;
const leastCount = 10;

/** How much to ask for at once, as learnt from what came. */
export class Pace {
  /** Rows whose fetching is worth one step. */
  rows = firstCount;
  /** COUNT of the next SCAN. */
  count = firstCount;

  /** `limit`: rows after which reading stops. */
  constructor(limit = Number.POSITIVE_INFINITY) {
    if (limit < batchRows) this.rows = this.count = Math.max(limit, leastCount);
  }

  /** So many rows have come with so many bytes. */
  came(rows: number, bytes: number): void {
    if (rows === 0) return;
    const fit = Math.floor(batchBytes / Math.max(1, bytes / rows));
    this.rows = Math.max(1, Math.min(batchRows, this.rows * 10, fit));
  }

  /** So many keys came of a SCAN. */
  found(keys: number): void {
    const wanted = keys === 0 ? mostCount : Math.round((this.count * this.rows) / keys);
    this.count = Math.max(leastCount, Math.min(mostCount, this.count * 4, wanted));
  }
}

export interface ScanOptions {
  /** MATCH; undefined for all keys. */
  readonly match: string | undefined;
  /** TYPE */
  readonly type?: string;
  /** What all keys that match begin with. */
  readonly prefix: string;
  readonly pace: Pace;
  /** Most keys of a batch. */
  readonly most?: number;
  /** Whether more keys will surely be wanted than come next, so that they are asked for ahead. */
  readonly ahead: boolean;
  readonly signal: AbortSignal;
}

export function scanCommand(
  cursor: string,
  match: string | undefined,
  type: string | undefined,
  count: number,
) {
  const command: [string, ...string[]] = ["SCAN", cursor];
  if (match !== undefined && match !== "*") command.push("MATCH", match);
  if (type !== undefined) command.push("TYPE", type);
  command.push("COUNT", String(count));
  return command satisfies Command;
}

/**
 * The keys of a service that match, each once, in batches of about `pace.rows`: SCAN repeats keys when its
 * hash table shrinks meanwhile. Keys that exist from beginning to end all come.
 */
export async function* scanKeys(
  masters: readonly Run[],
  options: ScanOptions,
): AsyncGenerator<readonly Bytes[]> {
  const { match, type, prefix, pace, most, ahead, signal } = options;
  let seen: Seen | undefined;
  for (const run of masters) {
    const step = (cursor: string): Promise<Step> => {
      const promise = scanStep(run, scanCommand(cursor, match, type, pace.count), signal);
      // Whoever leaves early does not wait for it.
      promise.catch(() => undefined);
      return promise;
    };
    let next: Promise<Step> | undefined = step("0");
    while (next !== undefined) {
      const { cursor, keys }: Step = await next;
      const last: boolean = cursor === "0";
      pace.found(keys.length);
      next = !last && ahead ? step(cursor) : undefined;
      // A small keyspace comes at once.
      if (!last || masters.length > 1) seen ??= new Seen(prefix);
      const fresh = seen ? keys.filter((key) => seen!.add(key)) : [...new Set(keys)];
      // SCAN gives a few more or less than COUNT: no batch of their own for the few.
      const parts = Math.ceil(fresh.length / (Math.min(pace.rows, most ?? pace.rows) * 1.25));
      const size = Math.ceil(fresh.length / parts);
      for (let start = 0; start < fresh.length; start += size) {
        yield parts === 1 ? fresh : fresh.slice(start, start + size);
      }
      if (!last) next ??= step(cursor);
    }
  }
}

interface Step {
  readonly cursor: string;
  readonly keys: readonly Bytes[];
}

async function scanStep(run: Run, command: Command, signal: AbortSignal): Promise<Step> {
  const [text] = await run([command], { signal });
  const step = accepted("SCAN", text!) as readonly [string, readonly string[]];
  try {
    return { cursor: step[0], keys: step[1].map(exactKey) };
  } catch (error) {
    if (!(error instanceof Undecodable)) throw error;
    const [bytes] = await run([command], { signal, binary: true });
    const again = accepted("SCAN", bytes!) as readonly [Buffer, readonly Buffer[]];
    return { cursor: String(again[0]), keys: again[1].map(exactKey) };
  }
}
