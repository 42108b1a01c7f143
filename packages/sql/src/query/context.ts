import type { ClientBase } from "pg";
import type { OpenRelation } from "./relation.ts";

/** What a statement needs of its session. */
export interface QueryContext {
  readonly open: OpenRelation;
  /** The PostgreSQL that evaluates what is not evaluated here. */
  readonly scratch: Scratch;
  readonly signal: AbortSignal;
}

export interface Scratch {
  session(): Promise<ScratchSession>;
}

/** A session as if new, which forgets everything when it is disposed of. */
export interface ScratchSession extends AsyncDisposable {
  /** Gives values as PostgreSQL writes them, unparsed. */
  readonly client: ClientBase;
  /** Asks the server to cancel the running statement. */
  cancel(): Promise<void>;
}

/** A row as PostgreSQL prints it; bytes are UTF-8. */
export type TextRow = readonly (string | Uint8Array | null)[];

export interface Field {
  readonly name: string;
  readonly typeOid: number;
  /** -1 for none. */
  readonly typeModifier: number;
}

export interface SelectResult {
  readonly fields: readonly Field[];
  /** What the services are asked, in their own words. */
  readonly requests: readonly string[];
  /**
   * The rows in batches, once. Nothing is asked of a service before the first pull; leaving the loop, or the
   * signal, ends what is under way.
   */
  rows(): AsyncIterable<readonly TextRow[]>;
}
