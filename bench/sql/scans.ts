import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileWriter, parquetWrite } from "hyparquet-writer";
import type pg from "pg";
import { accessKeyId, secretAccessKey } from "../requests.ts";
import { startServer } from "../servers.ts";
import { median } from "../statistics.ts";
import { fillSessions, prefix } from "./sessions.ts";
import { startSqlStack } from "./stack.ts";

const rows = 1_000_000;
const rounds = 3;

export interface ScanFigure {
  readonly title: string;
  /** Rows a second, as they arrive in PostgreSQL. */
  readonly perSecond: number;
  /** Largest resident set of the SQL server in all rounds, in MiB. */
  readonly memory: number;
  /** Milliseconds to the first row of a cursor, and for `LIMIT 10`. */
  readonly first: number;
  readonly ten: number;
}

/** Scans of 1,000,000 rows through PostgreSQL, with the SQL server on one core. */
export async function measureScans(work: string): Promise<ScanFigure[]> {
  const folder = join(work, "scanned");
  makeFiles(folder);
  const gateway = (await startServer("overcoat", work, folder))!;
  const redis = await startServer("redis-server", work);
  try {
    if (redis) await fillSessions(redis.port, rows);
    await using stack = await startSqlStack(work);
    const { client } = stack;
    await client.query(`
      CREATE SERVER s3_server FOREIGN DATA WRAPPER s3_fdw
        OPTIONS (endpoint 'http://127.0.0.1:${gateway.port}', bucket 'files');
      CREATE USER MAPPING FOR PUBLIC SERVER s3_server
        OPTIONS (access_key_id '${accessKeyId}', secret_access_key '${secretAccessKey}');
      CREATE FOREIGN TABLE listing (filename text, size bigint) SERVER s3_server OPTIONS (bucket 'keys');
      CREATE FOREIGN TABLE csv (id bigint, name text, amount double precision) SERVER s3_server
        OPTIONS (format 'csv', uri 's3://files/rows.csv');
      CREATE FOREIGN TABLE parquet (id bigint, name text, amount double precision) SERVER s3_server
        OPTIONS (format 'parquet', uri 's3://files/rows.parquet')`);
    const scans: (readonly [title: string, columns: readonly string[], table: string])[] = [
      ["S3 listing, two columns", ["filename", "size"], "listing"],
      ["CSV, three columns", ["id", "name", "amount"], "csv"],
      ["CSV, one of three columns", ["amount"], "csv"],
      ["Parquet, three columns", ["id", "name", "amount"], "parquet"],
      ["Parquet, one of three columns", ["amount"], "parquet"],
    ];
    if (redis) {
      await client.query(`
        CREATE SERVER redis_server FOREIGN DATA WRAPPER redis_fdw OPTIONS (url 'redis://127.0.0.1:${redis.port}');
        CREATE FOREIGN TABLE sessions (session_id text, payload jsonb) SERVER redis_server
          OPTIONS (key_prefix '${prefix}')`);
      scans.unshift(["Redis, key and jsonb", ["session_id", "payload"], "sessions"]);
    }
    const figures: ScanFigure[] = [];
    for (const [title, columns, table] of scans) {
      await stack.restart();
      // The first one warms up.
      const times: number[] = [];
      for (let round = 0; round <= rounds; round++) times.push(await scan(client, columns, table));
      const memory = stack.peakMemory();
      const first = await timed(() =>
        client.query(`BEGIN; DECLARE c CURSOR FOR SELECT ${columns} FROM ${table}; FETCH 1 FROM c; ROLLBACK`),
      );
      const ten = await timed(() => client.query(`SELECT ${columns} FROM ${table} LIMIT 10`));
      figures.push({ title, perSecond: (rows * 1000) / median(times.slice(1)), memory, first, ten });
    }
    return figures;
  } finally {
    await redis?.stop();
    await gateway.stop();
  }
}

/** Milliseconds to bring all rows into PostgreSQL: `OFFSET 0` keeps it from having them counted elsewhere. */
async function scan(client: pg.Client, columns: readonly string[], table: string): Promise<number> {
  const counts = columns.map((column) => `count(${column})::int AS ${column}`);
  const text = `SELECT ${counts} FROM (SELECT ${columns} FROM ${table} OFFSET 0) all_rows`;
  const start = performance.now();
  const [found] = (await client.query(text)).rows;
  const time = performance.now() - start;
  if (!columns.every((column) => found[column] === rows))
    throw new Error(`${table} gave ${JSON.stringify(found)}`);
  return time;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return median(times.slice(1));
}

function makeFiles(folder: string): void {
  const [files, keys] = [join(folder, "files"), join(folder, "keys")];
  mkdirSync(files, { recursive: true });
  mkdirSync(keys);
  const ids = Array.from({ length: rows }, (_, i) => i);
  const name = (id: number) => `name of ${id}`;
  const amount = (id: number) => id / 8;
  writeFileSync(
    join(files, "rows.csv"),
    `id,name,amount\n${ids.map((id) => `${id},${name(id)},${amount(id)}\n`).join("")}`,
  );
  parquetWrite({
    writer: fileWriter(join(files, "rows.parquet")),
    columnData: [
      { name: "id", data: ids.map(BigInt), type: "INT64" },
      { name: "name", data: ids.map(name), type: "STRING" },
      { name: "amount", data: ids.map(amount), type: "DOUBLE" },
    ],
    rowGroupSize: 100_000,
  });
  for (const id of ids) writeFileSync(join(keys, `key-${String(id).padStart(7, "0")}`), "");
}
