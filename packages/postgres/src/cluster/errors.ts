/** A cluster cannot be started or used as asked; the message says why and what to do. */
export class ClusterError extends Error {
  override name = "ClusterError";
}

export const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code;
