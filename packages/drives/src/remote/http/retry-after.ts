import type { Headers } from "./transport.ts";

/**
 * What `Retry-After` asks for (RFC 9110, 10.2.3): seconds, also with the fraction that Graph sends, or a date, which
 * is read by the clock of the service where it sends its `Date`.
 * @returns milliseconds; undefined where the header is missing or makes no sense
 */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const value = headers["retry-after"]?.trim();
  if (!value) return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const until = Date.parse(value);
  if (Number.isNaN(until)) return undefined;
  const sent = Date.parse(headers.date ?? "");
  return Math.max(0, until - (Number.isNaN(sent) ? now : sent));
}
