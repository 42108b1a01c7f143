import { type Server, startServer } from "../servers.ts";
import { median } from "../statistics.ts";
import { fillSessions, keyOf, prefix } from "./sessions.ts";
import { type SqlStack, startSqlStack } from "./stack.ts";

const rows = 10_000;
const rounds = 9;
const seconds = 0.7;

export interface LookUpFigure {
  readonly title: string;
  /** Median milliseconds of one look-up by key, through Overcoat and through stock postgres_fdw. */
  readonly ours: number;
  readonly stock: number;
}

/**
 * Looks rows up by key, one after the other on one connection: in a redis-server through Overcoat, and in a table of
 * a second PostgreSQL through stock postgres_fdw, by turns.
 * @returns undefined when redis-server is not there
 */
export async function measureLookUps(work: string): Promise<LookUpFigure[] | undefined> {
  const redis = await startServer("redis-server", work);
  if (!redis) return undefined;
  try {
    await using stack = await startSqlStack(work);
    await fill(stack, redis);
    return await measure(stack);
  } finally {
    await redis.stop();
  }
}

async function fill({ client, other }: SqlStack, { port }: Server): Promise<void> {
  await fillSessions(port, rows);
  await client.query(`
    CREATE SERVER redis_server FOREIGN DATA WRAPPER redis_fdw OPTIONS (url 'redis://127.0.0.1:${port}');
    CREATE FOREIGN TABLE ours (session_id text, payload jsonb) SERVER redis_server OPTIONS (key_prefix '${prefix}');
    CREATE EXTENSION dblink;
    CREATE EXTENSION postgres_fdw;
    SELECT dblink_exec('${other.href}', $$
      CREATE TABLE stock (session_id text PRIMARY KEY, payload jsonb);
      INSERT INTO stock SELECT lpad(to_hex(i), 8, '0'),
        jsonb_build_object('user', i, 'name', 'user' || i, 'active', i % 2 = 0) FROM generate_series(0, ${rows - 1}) i;
      ANALYZE stock$$);
    CREATE SERVER second FOREIGN DATA WRAPPER postgres_fdw
      OPTIONS (host '${other.hostname}', port '${other.port}', dbname 'postgres', use_remote_estimate 'true');
    CREATE USER MAPPING FOR PUBLIC SERVER second OPTIONS (user '${other.username}', password '${other.password}');
    CREATE FOREIGN TABLE stock (session_id text, payload jsonb) SERVER second`);
}

async function measure({ client }: SqlStack): Promise<LookUpFigure[]> {
  let next = 0;
  const key = () => keyOf(next++ % rows).slice(prefix.length);
  const select = (table: string) => `SELECT payload FROM ${table} WHERE session_id = `;
  const ways: readonly (readonly [
    title: string,
    ask: (table: string) => Promise<{ rowCount: number | null }>,
  ])[] = [
    ["prepared", (table) => client.query({ name: table, text: `${select(table)}$1`, values: [key()] })],
    ["planned each time", (table) => client.query(`${select(table)}'${key()}'`)],
  ];
  const figures: LookUpFigure[] = [];
  for (const [title, ask] of ways) {
    const times: Record<string, number[]> = { ours: [], stock: [] };
    // The first round warms up.
    for (let round = 0; round <= rounds; round++)
      for (const table of ["ours", "stock"]) {
        const taken: number[] = [];
        for (const end = performance.now() + seconds * 1000 * (round ? 1 : 5); performance.now() < end; ) {
          const start = performance.now();
          const { rowCount } = await ask(table);
          taken.push(performance.now() - start);
          if (rowCount !== 1) throw new Error(`A look-up in ${table} gave ${rowCount} rows`);
        }
        if (round) times[table]!.push(median(taken));
      }
    figures.push({ title, ours: median(times.ours!), stock: median(times.stock!) });
  }
  return figures;
}
