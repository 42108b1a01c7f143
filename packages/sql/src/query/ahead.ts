import type { TextRow } from "./context.ts";

const aheadBytes = 8 * 1024 * 1024;

/** Takes a short result as a whole, so that it holds nothing while its reader takes the time that it likes. */
export async function* takeAhead(
  batches: AsyncIterable<readonly TextRow[]>,
): AsyncGenerator<readonly TextRow[]> {
  const iterator = batches[Symbol.asyncIterator]();
  const taken: (readonly TextRow[])[] = [];
  let ended = false;
  try {
    for (let bytes = 0; bytes < aheadBytes; ) {
      const { done, value } = await iterator.next();
      if (done) {
        ended = true;
        break;
      }
      taken.push(value);
      bytes += sizeOf(value);
    }
    yield* taken;
    while (!ended) {
      const { done, value } = await iterator.next();
      if (done) ended = true;
      else yield value;
    }
  } finally {
    if (!ended) await iterator.return?.();
  }
}

/** Bytes that rows take in memory, about. */
export function sizeOf(rows: readonly TextRow[]): number {
  let bytes = 0;
  for (const row of rows) for (const value of row) bytes += 20 + (value?.length ?? 0);
  return bytes;
}
