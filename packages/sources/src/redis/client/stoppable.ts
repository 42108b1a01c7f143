/**
 * Waits for a promise, but no longer than until the signal (which is thrown) or the time-out (whose error is
 * made when it passes). What the promise does later is ignored.
 */
export async function stoppable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  milliseconds?: number,
  timeoutError?: () => Error,
): Promise<T> {
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = timeoutError && setTimeout(() => reject(timeoutError()), milliseconds);
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
