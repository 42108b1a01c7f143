/** The command line, environment or configuration is wrong: exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** It was asked for rightly and cannot be done: exit code 1. */
export class RunError extends Error {
  override name = "RunError";
}
