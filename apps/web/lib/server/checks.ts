/** The end of a check: what was found, or what is missing and what to do about it. */
export type CheckResult =
  | { readonly status: "good"; readonly found: string }
  | { readonly status: "todo" | "bad"; readonly found: string; readonly advice: string };

/** Seconds that a check may take before it counts as failed. */
const patience = 8;

/** Runs a check, and makes a failure of what it throws or of its taking too long. */
export async function checked(advice: string, check: () => Promise<CheckResult>): Promise<CheckResult> {
  const late = Promise.withResolvers<CheckResult>();
  const timer = setTimeout(
    () => late.resolve({ status: "bad", found: `no answer within ${patience} seconds`, advice }),
    patience * 1000,
  );
  try {
    return await Promise.race([check(), late.promise]);
  } catch (error) {
    return { status: "bad", found: messageOf(error), advice };
  } finally {
    clearTimeout(timer);
  }
}

/** What an error says, with PostgreSQL's detail and hint. */
export function messageOf(error: unknown): string {
  const { message, detail, hint, code } = Object(error) as Record<string, unknown>;
  const parts = [message || code || String(error), detail, hint].filter(Boolean);
  return parts.join("\n");
}
