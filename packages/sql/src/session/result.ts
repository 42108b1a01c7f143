import type { Field, MessageWriter, TextRow } from "../wire/writer.ts";
import { RowStream } from "./row-stream.ts";

/** What a statement gives: rows, or nothing but its tag. */
export interface Outcome {
  readonly rows?: { readonly fields: readonly Field[]; readonly stream: RowStream; readonly limit: number };
  /** Of CommandComplete. */
  readonly tag: (rows: number) => string;
}

/** As pg_type numbers it. */
const textOid = 25;

export function textFields(...names: readonly string[]): Field[] {
  return names.map((name) => ({ name, typeOid: textOid }));
}

export function done(tag: string): Outcome {
  return { tag: () => tag };
}

export function rowsOutcome(fields: readonly Field[], rows: readonly TextRow[], verb = "SELECT"): Outcome {
  return {
    rows: { fields, stream: RowStream.of(rows), limit: Number.POSITIVE_INFINITY },
    tag: (count) => `${verb} ${count}`,
  };
}

/** Writes rows; what is left of them after an error is given up. @returns how many */
export function writeRows(
  { stream, limit }: NonNullable<Outcome["rows"]>,
  out: MessageWriter,
  signal: AbortSignal,
): number | Promise<number> {
  try {
    const written = stream.write(limit, out, signal);
    if (typeof written === "number") return written;
    return written.catch((error) => {
      stream.close();
      throw error;
    });
  } catch (error) {
    stream.close();
    throw error;
  }
}
