import type { Form } from "../statement/form.ts";
import { type Lexed, quoteIdentifier } from "../statement/lexical.ts";

/** Columns of ours in a scratch table. Names of users that begin like these are replaced (see `lexical.ts`). */
export const ctidColumn = quoteIdentifier("overcoat ctid");
export const identityColumn = quoteIdentifier("overcoat row");

/** The temporary table of a form's table. */
export function scratchTable(table: number): string {
  return `pg_temp.${quoteIdentifier(`overcoat ${table}`)}`;
}

/** The statement as it runs in the scratch database. */
export function scratchText({ pieces }: Form, { literals }: Lexed): string {
  return pieces
    .map((piece) => {
      if (typeof piece === "string") return piece;
      if ("literal" in piece) return literals[piece.literal]!.source;
      if ("table" in piece) return scratchTable(piece.table);
      return piece.ctid + ctidColumn;
    })
    .join("");
}
