import { withConnection } from "./connection.ts";
import { batchesOf, type TextRow } from "./cursor.ts";

const batch = 1000;

/** All rows of a query as CSV (RFC 4180), read as they are taken. @throws pg.DatabaseError before the first piece */
export async function csvOf(text: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const started = Promise.withResolvers<void>();
  const pieces = new TransformStream<string, string>(undefined, { highWaterMark: 1 });
  const writer = pieces.writable.getWriter();
  const stopping = new AbortController();
  writer.closed.catch(() => stopping.abort());
  withConnection("reader", AbortSignal.any([signal, stopping.signal]), async (client) => {
    await client.query("BEGIN READ ONLY");
    let isFirst = true;
    for await (const { fields, rows } of batchesOf(client, text, batch)) {
      started.resolve();
      if (isFirst) await writer.write(line(fields.map(({ name }) => name)));
      isFirst = false;
      await writer.write(rows.map(line).join(""));
    }
  }).then(
    () => writer.close().catch(() => undefined),
    (error) => {
      started.reject(error);
      return writer.abort(error).catch(() => undefined);
    },
  );
  await started.promise;
  return pieces.readable.pipeThrough(new TextEncoderStream());
}

const line = (cells: TextRow) => `${cells.map(cell).join(",")}\r\n`;

/** NULL is nothing, an empty text is quoted. */
const cell = (value: string | null) =>
  value === null ? "" : /^$|[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
