import type { Column, Value } from "../../source.ts";

/** The rows that a file's reader is to make: one value for each column that is asked for. */
export interface Target {
  /** What is asked for, in the order of the row's values. */
  readonly outputs: readonly Output[];
  /** All columns that the file must have, in the order of the table: those that are not the pseudo column. */
  readonly columns: readonly Column[];
  /** The name that the pseudo column takes, which no file may have for itself. */
  readonly pseudoName: string | undefined;
  /** The value of the pseudo column. */
  readonly key: string;
}

/** A column by its position in `columns`, or the object's key. */
export type Output = { readonly field: number } | { readonly pseudo: true };

/** A row in which only what is the same in each is set. */
export const emptyRow = ({ outputs, key }: Target): Value[] =>
  outputs.map((output) => ("pseudo" in output ? key : null));
