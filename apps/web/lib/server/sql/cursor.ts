import type pg from "pg";
import Cursor from "pg-cursor";
import { asText } from "./connection.ts";

export type TextRow = readonly (string | null)[];

export interface Batch {
  readonly fields: readonly Pick<pg.FieldDef, "name" | "dataTypeID">[];
  readonly rows: readonly TextRow[];
}

/** The rows of one statement, `size` at a time, read as they are taken; at least one batch, if an empty one. */
export async function* batchesOf(client: pg.Client, text: string, size: number): AsyncGenerator<Batch> {
  const cursor = client.query(new Cursor<TextRow>(text, [], { rowMode: "array", types: asText }));
  try {
    for (let isFirst = true; ; isFirst = false) {
      const batch = await next(cursor, size);
      if (isFirst || batch.rows.length > 0) yield batch;
      if (batch.rows.length < size) return;
    }
  } finally {
    await cursor.close();
  }
}

const next = (cursor: Cursor<TextRow>, size: number) =>
  new Promise<Batch>((resolve, reject) => {
    cursor.read(size, (error, rows, result) =>
      error ? reject(error) : resolve({ rows, fields: result?.fields ?? [] }),
    );
  });
