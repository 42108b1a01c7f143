import type { Row } from "@overcoat/sources";
import { type Text, textOf } from "../evaluate/text.ts";
import type { ColumnType } from "../evaluate/type.ts";
import type { TextRow } from "./context.ts";
import type { Output } from "./direct.ts";

/** Compiles the outputs that a row yields; a ctid follows the row's columns. */
export function projection(
  outputs: readonly Output[],
  columns: readonly number[],
  types: readonly ColumnType[],
): (row: Row) => TextRow {
  const steps = outputs.map((output): ((row: Row) => Text) => {
    if (output.kind === "column") {
      const index = columns.indexOf(output.column);
      const text = textOf(types[output.column]!);
      return (row) => text(row[index]!);
    }
    if (output.kind === "ctid") return (row) => row[columns.length] as string;
    const text = output.kind === "constant" ? output.text : null;
    return () => text;
  });
  const [first, second] = steps;
  if (steps.length === 1) return (row) => [first!(row)];
  if (steps.length === 2) return (row) => [first!(row), second!(row)];
  return (row) => {
    const texts: Text[] = new Array(steps.length);
    for (let index = 0; index < steps.length; index++) texts[index] = steps[index]!(row);
    return texts;
  };
}
