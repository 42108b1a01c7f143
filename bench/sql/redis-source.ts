import { redis } from "@overcoat/sources";
import { createClient } from "@redis/client";
import { startServer } from "../servers.ts";
import { median } from "../statistics.ts";
import { fillSessions, prefix } from "./sessions.ts";

const keys = 1_000_000;
const rounds = 3;
const count = 1000;

export interface ScanFigure {
  readonly title: string;
  /** Rows in a second of time, and of the CPU time that this process used. */
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

/**
 * Reads 1,000,000 keys and values of a redis-server on another core, by turns: with SCAN and MGET alone, and through
 * the source, which also drops keys that SCAN repeats and checks that values are JSON.
 * @returns undefined when redis-server is not there
 */
export async function measureRedisScan(work: string): Promise<ScanFigure[] | undefined> {
  const server = await startServer("redis-server", work);
  if (!server) return undefined;
  try {
    await fillSessions(server.port, keys);
    return await measure(server.port);
  } finally {
    await server.stop();
  }
}

async function measure(port: number): Promise<ScanFigure[]> {
  const url = `redis://127.0.0.1:${port}`;
  const client = createClient({ url, RESP: 2 });
  await client.connect();
  await using connection = await redis.connect({ url });
  const ways: readonly (readonly [title: string, read: () => Promise<number>])[] = [
    ["redis source, jsonb", () => scanSource("jsonb")],
    ["redis source, text", () => scanSource("text")],
    ["bare SCAN and MGET, the next ahead", () => scanAhead()],
    ["bare SCAN and MGET, one after the other", () => scanPlain()],
  ];

  async function scanSource(type: string): Promise<number> {
    const table = connection.table({
      name: "sessions",
      options: { key_prefix: prefix },
      columns: [
        { name: "session_id", type: "text", options: {} },
        { name: "payload", type, options: {} },
      ],
    });
    const plan = await table.plan({ columns: [0, 1], identity: false, filters: [], sort: [] });
    let rows = 0;
    for await (const batch of plan.scan(AbortSignal.timeout(600_000))) rows += batch.length;
    return rows;
  }

  const scan = (cursor: string) => client.scan(cursor, { MATCH: `${prefix}*`, COUNT: count });

  async function scanPlain(): Promise<number> {
    let rows = 0;
    let cursor = "0";
    do {
      const page = await scan(cursor);
      rows += (await client.mGet(page.keys)).length;
      cursor = page.cursor;
    } while (cursor !== "0");
    return rows;
  }

  async function scanAhead(): Promise<number> {
    let rows = 0;
    let values: Promise<unknown[]> = Promise.resolve([]);
    for (let next: ReturnType<typeof scan> | undefined = scan("0"); next; ) {
      const page: Awaited<typeof next> = await next;
      next = page.cursor === "0" ? undefined : scan(page.cursor);
      const before = values;
      values = client.mGet(page.keys);
      rows += (await before).length;
    }
    return rows + (await values).length;
  }

  const figures = new Map<string, { time: number[]; cpu: number[] }>();
  for (let round = 0; round <= rounds; round++) {
    for (const [title, read] of ways) {
      const start = performance.now();
      const cpu = process.cpuUsage();
      const rows = await read();
      const seconds = (performance.now() - start) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      if (rows < keys) throw new Error(`${title} gave ${rows} rows`);
      // The first round warms up.
      if (round === 0) figures.set(title, { time: [], cpu: [] });
      else {
        figures.get(title)!.time.push(keys / seconds);
        figures.get(title)!.cpu.push((keys * 1e6) / (user + system));
      }
    }
  }
  client.destroy();
  return [...figures].map(([title, { time, cpu }]) => ({
    title,
    perSecond: median(time),
    perCpuSecond: median(cpu),
  }));
}
