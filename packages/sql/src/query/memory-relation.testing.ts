import type { Plan, Query, Row, TableDefinition, Tuple, Value } from "@overcoat/sources";
import { matches } from "../evaluate/filter.ts";
import { toText } from "../evaluate/text.ts";
import type { Relation } from "./relation.ts";

/** A table in memory, for tests. */
export interface MemoryTable {
  readonly definition: TableDefinition;
  readonly rows: readonly (readonly Value[])[];
  readonly collation?: string;
  readonly ctids?: readonly string[];
  /** Whether filters and limit are handled by the source. */
  readonly handles?: boolean;
  /** What PostgreSQL prints for a text of a column, where sources spell it differently. */
  readonly print?: (column: number, text: string) => string;
  readonly batch?: number;
  /** Told what is asked. */
  readonly onPlan?: (query: Query) => void;
  readonly onBatch?: (rows: number) => void;
}

/** Row `n` has the identity `row n` and, unless others are given, the ctid `(0,n+1)`. */
export function memoryRelation(table: MemoryTable): Relation {
  const { definition, rows, handles = false, batch = 7 } = table;
  return {
    definition,
    collation: table.collation ?? "pg_c_utf8",
    ctid(identity) {
      const row = Number(identity.slice(4));
      return table.ctids?.[row] ?? `(0,${row + 1})`;
    },
    plan(query): Plan {
      table.onPlan?.(query);
      const handled = query.filters.map(() => handles);
      return {
        handled,
        sorted: query.sort.length === 0,
        rows: rows.length,
        calls: 1,
        requests: [`SCAN ${definition.name}`],
        async *scan() {
          const known = handles && query.filters.every((filter) => !isUnknown(filter));
          const keeps = known ? matches(query.filters, definition.columns) : () => true;
          let left =
            handles && query.sort.length === 0 && query.limit !== undefined ? query.limit : rows.length;
          let part: Row[] = [];
          for (const [number, row] of rows.entries()) {
            if (left === 0) break;
            if (!keeps(tuple(row, table))) continue;
            left--;
            const values = query.columns.map((column) => row[column]!);
            part.push(query.identity ? [...values, `row ${number}`] : values);
            if (part.length === batch) {
              table.onBatch?.(part.length);
              yield part;
              part = [];
            }
          }
          if (part.length > 0) yield part;
        },
      };
    },
  };
}

function isUnknown(filter: Query["filters"][number]): boolean {
  if (filter.kind === "null") return false;
  return (
    (filter.kind === "like" ? filter.pattern : filter.kind === "in" ? filter.values : filter.value) ===
    undefined
  );
}

function tuple(row: readonly Value[], table: MemoryTable): Tuple {
  return row.map((value, column) => printedText(value, column, table));
}

/** A value as PostgreSQL prints it. */
export function printedText(value: Value, column: number, { definition, print }: MemoryTable): string | null {
  const text = toText(value, definition.columns[column]!.type);
  const characters = text instanceof Uint8Array ? Buffer.from(text).toString() : text;
  return characters !== null && print ? print(column, characters) : characters;
}
