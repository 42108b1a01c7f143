import { SqlError } from "../../error.ts";
import type { Options, TableChanges, Tuple } from "../../source.ts";
import { mostRequests } from "../client.ts";
import { choiceOption } from "../options.ts";
import { mapOrdered } from "../ordered.ts";
import { longestKey } from "./key-range.ts";
import type { ListingTable } from "./table.ts";

/** What may be changed in a listing; `commit.ts` does it. */
export class ListingChanges implements TableChanges {
  readonly #table: ListingTable;
  readonly insert: boolean;
  readonly update: boolean;
  readonly delete = true;
  readonly replaces: boolean;

  constructor(table: ListingTable, options: Options) {
    this.#table = table;
    this.insert = this.update = table.keyColumn !== undefined;
    this.replaces = choiceOption(options, "on_conflict", ["error", "replace"]) === "replace";
  }

  identity(row: Tuple): string {
    const { keyColumn, definition, prefix } = this.#table;
    const key = row[keyColumn!];
    const { name } = definition.columns[keyColumn!]!;
    if (key === null || key === undefined)
      throw new SqlError("23502", `null value in column "${name}" violates not-null constraint`);
    if (key === "") throw new SqlError("23514", `column "${name}": a key cannot be empty`);
    if (Buffer.byteLength(key) > longestKey)
      throw new SqlError("22001", `column "${name}": a key takes at most ${longestKey} bytes in UTF-8`);
    if (!key.startsWith(prefix))
      throw new SqlError("23514", `key "${key}" does not begin with the table's prefix "${prefix}"`);
    return key;
  }

  async exist(keys: readonly string[], signal: AbortSignal): Promise<readonly boolean[]> {
    const { bucket } = this.#table;
    const found: boolean[] = [];
    for await (const object of mapOrdered(keys, mostRequests, signal, (key, either) =>
      bucket.head(key, either),
    ))
      found.push(object !== undefined);
    return found;
  }
}
