import "server-only";
import { WrapperError, type WrapperErrorKind } from "@/integrations/wrappers";
import { messageOf } from "@/lib/server/checks";

export interface Failed {
  readonly kind: WrapperErrorKind;
  readonly message: string;
}

/** Some rows of a table, and where the next begin if there are more; or why there are none. */
export type RowPage<Row> =
  | { readonly rows: readonly Row[]; readonly next?: string }
  | { readonly failed: Failed };

const size = 50;

/** Asks a helper for one row more than is shown, to know whether there are more. `keyOf` is what it pages by. */
export async function rowPage<Row>(
  list: (limit: number) => Promise<Row[]>,
  keyOf: (row: Row) => string,
): Promise<RowPage<Row>> {
  try {
    const rows = await list(size + 1);
    const shown = rows.slice(0, size);
    return rows.length > size ? { rows: shown, next: keyOf(shown.at(-1)!) } : { rows: shown };
  } catch (error) {
    return { failed: asFailed(error) };
  }
}

export const asFailed = (error: unknown): Failed => ({
  kind: error instanceof WrapperError ? error.kind : "failed",
  message: messageOf(error),
});

/** Runs what changes a row. @returns what went wrong, if something did */
export async function change(run: () => Promise<boolean>, whatIsGone: string): Promise<string | undefined> {
  try {
    return (await run()) ? undefined : whatIsGone;
  } catch (error) {
    return asFailed(error).message;
  }
}
