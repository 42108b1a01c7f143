/**
 * Applies `work` to each item, up to `most` at once, and gives the results in the items' order. No more than
 * `most` are taken ahead of the reader. Leaving the loop aborts the signal that the works under way were given,
 * and waits until they are over.
 */
export async function* mapOrdered<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  most: number,
  signal: AbortSignal,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): AsyncGenerator<Result> {
  const left = new AbortController();
  const either = AbortSignal.any([signal, left.signal]);
  const running: Promise<Result>[] = [];
  try {
    for await (const item of items) {
      const result = work(item, either);
      // Its error is told when its turn comes.
      result.catch(() => {});
      running.push(result);
      if (running.length >= most) yield await running.shift()!;
    }
    while (running.length) yield await running.shift()!;
  } finally {
    left.abort();
    await Promise.allSettled(running);
  }
}
