import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCluster } from "./cluster.ts";

const rounds = 20;
/** Milliseconds from the start of a process to its end, at most: making the data directory takes about so long. */
const longest = 1500;

let folder: string;
let owner: ChildProcess | undefined;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "cluster-kill-")));
  await chmod(folder, 0o755);
});
afterAll(async () => {
  if (owner?.exitCode === null && owner.signalCode === null) await killTree(owner.pid!);
  await rm(folder, { recursive: true, force: true });
});

const options = () => ({
  folder,
  port: 0,
  superuser: "owner",
  password: "secret",
  settings: { fsync: "off" },
});

/** Starts a cluster in a process of its own; `url` resolves once it runs, if it lives to see that. */
function startElsewhere(): { child: ChildProcess; url: Promise<string | undefined> } {
  const code = `import { startCluster } from ${JSON.stringify(new URL("./cluster.ts", import.meta.url).href)};
    console.log((await startCluster(${JSON.stringify(options())})).url);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const printed = once(child.stdout, "data").then(([url]) => String(url).trim());
  return { child, url: Promise.race([printed, once(child, "exit").then(() => undefined)]) };
}

/** Kills a process and all that it started, at once. */
async function killTree(root: number): Promise<void> {
  const parents = new Map<number, number>();
  for (const name of await readdir("/proc")) {
    const status = /^\d+$/.test(name) && (await readFile(`/proc/${name}/stat`, "latin1").catch(() => ""));
    if (status) parents.set(Number(name), Number(status.slice(status.lastIndexOf(")") + 2).split(" ")[1]));
  }
  const tree = new Set([root]);
  for (let before = 0; before < tree.size; ) {
    before = tree.size;
    for (const [pid, parent] of parents) if (tree.has(parent)) tree.add(pid);
  }
  for (const pid of tree) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

/** Adds rows to a table until the connection ends; the number of the last whose COMMIT was acknowledged. */
async function write(url: string, last: number): Promise<number> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("CREATE TABLE IF NOT EXISTS written (n int PRIMARY KEY, filler text)");
    for (;;) {
      await client.query("INSERT INTO written VALUES ($1, repeat('x', 1000))", [last + 1]);
      last++;
    }
  } catch (error) {
    if ((error as { code?: string }).code === "23505") throw error;
    return last;
  }
}

test("a cluster whose whole process tree is killed, at any moment, starts again with all that it acknowledged", async () => {
  let acknowledged = 0;
  for (let round = 0; round < rounds; round++) {
    const { child, url } = startElsewhere();
    owner = child;
    const written = url.then((url) => (url ? write(url, acknowledged) : acknowledged));
    await sleep((longest * (round + 1)) / rounds);
    await killTree(child.pid!);
    const wrote = await written;

    await using cluster = await startCluster(options());
    const client = new pg.Client(cluster.url);
    await client.connect();
    await client.query("CREATE TABLE IF NOT EXISTS written (n int PRIMARY KEY, filler text)");
    const { rows } = await client.query("SELECT count(*)::int, max(n) FROM written");
    await client.end();
    // What was sent last may have been done or not.
    expect([wrote, wrote + 1]).toContain(rows[0].count);
    expect(rows[0].max ?? 0).toBe(rows[0].count);
    acknowledged = rows[0].count;
  }
  expect(acknowledged).toBeGreaterThan(0);
  expect((await readdir(folder)).filter((name) => !name.startsWith("new-data-")).sort()).toEqual([
    "data",
    "log",
  ]);
});
