import type { Row, TableDefinition, Tuple } from "@overcoat/sources";
import { toText } from "../evaluate/text.ts";

/** A row that was read as PostgreSQL's text; `undefined` in columns that were not. */
export function tupleOfRow(row: Row, columns: readonly number[], definition: TableDefinition): Tuple {
  const tuple: (string | null | undefined)[] = definition.columns.map(() => undefined);
  for (const [index, column] of columns.entries()) {
    const text = toText(row[index]!, definition.columns[column]!.type);
    tuple[column] = text instanceof Uint8Array ? Buffer.from(text).toString() : text;
  }
  return tuple;
}
