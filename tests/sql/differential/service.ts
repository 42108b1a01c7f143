import type { Twice } from "./twice.ts";

/** A service that runs for a test, with the rows of its tables. */
export interface ComparedService extends AsyncDisposable {
  /** Values of the secrets that its foreign servers name. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** The statements that make the foreign servers. */
  readonly servers: string;
  readonly tables: readonly Twice[];
}

/** A service before it was started. */
export interface Comparable {
  /** By table: its share of the queries. */
  readonly tables: Readonly<Record<string, number>>;
  /** By table that is written: its share of the transactions. */
  readonly written: Readonly<Record<string, number>>;
  open(): Promise<ComparedService>;
}
