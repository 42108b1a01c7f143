import type { CheckResult } from "@/lib/server/checks";

/** A step of the checklist with what its check found. */
export type Step = CheckResult & {
  readonly title: string;
  /** What the check does. */
  readonly how: string;
  /** SQL that takes the step. */
  readonly sql?: string;
};
