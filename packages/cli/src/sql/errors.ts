import { ClusterError } from "@overcoat/postgres";
import { RunError } from "../errors.ts";

/** For `catch`: what an operator can do something about is told without a stack. */
export function asRunError(error: unknown): never {
  if (error instanceof ClusterError) throw new RunError(error.message, { cause: error });
  throw error;
}
