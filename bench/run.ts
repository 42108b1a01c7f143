/**
 * Measures Overcoat beside bare ceilings and peers, and writes bench/results.md: `npm run bench`, or
 * `npm run bench -- GET` for the parts whose titles have that in them, which are printed only.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Comparison, compare, comparisons, type Measured, rounds, seconds, warmUp } from "./compare.ts";
import { measureCalls } from "./drives/calls.ts";
import { measureLarge } from "./drives/large.ts";
import { measureDriveListings } from "./drives/listing.ts";
import { measureEpochs, measureReads } from "./drives/reads.ts";
import { gateways } from "./drives/stack.ts";
import { measureMemory } from "./memory.ts";
import { measureListings } from "./million.ts";
import { pinClient } from "./servers.ts";
import { measureLookUps } from "./sql/look-up.ts";
import { measureRedisScan } from "./sql/redis-source.ts";
import { measureScans } from "./sql/scans.ts";

const results = fileURLToPath(new URL("results.md", import.meta.url));
const wanted = process.argv[2];
// Not in the folder for temporary files, which may be in memory.
const base = process.env.BENCH_FOLDER ?? fileURLToPath(new URL("../.cache", import.meta.url));
mkdirSync(base, { recursive: true });
const work = mkdtempSync(join(base, "bench-"));
const sections: string[] = [];
pinClient();

const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map((_, column) => (column ? "---:" : "---")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");

function speed({ bytes }: Comparison, perSecond: number): string {
  if (bytes === undefined) return `${Math.round(perSecond).toLocaleString("en")}/s`;
  return `${Math.round((perSecond * bytes) / 2 ** 20).toLocaleString("en")} MiB/s`;
}

function comparisonSection(comparison: Comparison, measured: readonly Measured[]): string {
  const [ours] = measured;
  const rows = measured.map(({ server, perSecond }) => [
    server,
    speed(comparison, perSecond),
    server === ours!.server ? "" : `${(ours!.perSecond / perSecond).toFixed(2)} ×`,
  ]);
  return `## ${comparison.title}\n\n${table(["Server", "Median", "Overcoat has"], rows)}`;
}

async function section(title: string, measure: () => Promise<string>): Promise<void> {
  if (wanted !== undefined && !title.includes(wanted)) return;
  const text = await measure();
  sections.push(text);
  console.log(`\n${text}`);
}

try {
  for (const comparison of comparisons)
    await section(comparison.title, async () =>
      comparisonSection(comparison, await compare(comparison, work)),
    );
  const listings = "LIST of one page of 1,000 keys in buckets of all sizes";
  await section(listings, async () => {
    const figures = await measureListings(work);
    const smallest = figures[0]!.warm;
    const rows = figures.map(({ title, cold, restarted, warm }) => [
      title,
      `${cold.toFixed(0)} ms`,
      `${restarted.toFixed(0)} ms`,
      `${warm.toFixed(1)} ms`,
      `${(warm / smallest).toFixed(2)} ×`,
    ]);
    const head = ["Bucket", "Never listed before", "After a restart", "Warm", "Warm, to 1,000 keys"];
    return `## ${listings}\n\n${table(head, rows)}`;
  });
  const memory = "Memory while 64 clients upload 128 MiB each in parts";
  await section(memory, async () => {
    const { before, peak } = await measureMemory(work);
    const rows = [
      ["Before", `${before.toFixed(0)} MiB`],
      ["At most", `${peak.toFixed(0)} MiB`],
    ];
    return `## ${memory}\n\n${table(["Resident set of the largest process", ""], rows)}`;
  });
  const redisScan = "SQL: scan of 1,000,000 Redis keys";
  await section(redisScan, async () => {
    const figures = await measureRedisScan(work);
    if (!figures) return `## ${redisScan}\n\nredis-server is not on this machine.`;
    const [ours] = figures;
    const rows = figures.map(({ title, perSecond, perCpuSecond }) => [
      title,
      `${Math.round(perSecond).toLocaleString("en")}/s`,
      `${Math.round(perCpuSecond).toLocaleString("en")}/s`,
      title === ours!.title ? "" : `${(ours!.perSecond / perSecond).toFixed(2)} ×`,
    ]);
    return `## ${redisScan}\n\n${table(["Node.js", "Rows", "Rows, of CPU time", "The source has"], rows)}`;
  });
  const lookUps = "SQL: one row by its key, through PostgreSQL";
  await section(lookUps, async () => {
    const figures = await measureLookUps(work);
    if (!figures) return `## ${lookUps}\n\nredis-server is not on this machine.`;
    const rows = figures.map(({ title, ours, stock }) => [
      title,
      `${ours.toFixed(2)} ms`,
      `${stock.toFixed(2)} ms`,
      `${(ours / stock).toFixed(2)} ×`,
    ]);
    const head = [
      "Statement",
      "Redis by Overcoat",
      "A second PostgreSQL by stock postgres_fdw",
      "Overcoat takes",
    ];
    return `## ${lookUps}\n\n${table(head, rows)}`;
  });
  const scans = "SQL: scan of 1,000,000 rows into PostgreSQL, SQL server on one core";
  await section(scans, async () => {
    const rows = (await measureScans(work)).map(({ title, perSecond, memory, first, ten }) => [
      title,
      `${Math.round(perSecond).toLocaleString("en")}/s`,
      `${memory.toFixed(0)} MiB`,
      `${first.toFixed(1)} ms`,
      `${ten.toFixed(1)} ms`,
    ]);
    const head = ["Table", "Rows", "Memory of the SQL server", "First row", "LIMIT 10"];
    return `## ${scans}\n\n${table(head, rows)}`;
  });
  const calls = "OneDrive: calls to the drive for one S3 request";
  await section(calls, async () => {
    const rows = (await measureCalls(work)).map(({ operation, calls }) => [operation, ...calls.map(String)]);
    return `## ${calls}\n\n${table(["Request", ...gateways()], rows)}`;
  });
  const driveListings = "OneDrive: listing 100,000 objects in 1,000 folders, 100 ms a call";
  await section(driveListings, async () => {
    const rows = (await measureDriveListings(work)).map(({ gateway, cold, warm, page }) => [
      gateway,
      `${cold.toFixed(1)} s`,
      `${warm.toFixed(2)} s`,
      `${page.toFixed(1)} ms`,
    ]);
    return `## ${driveListings}\n\n${table(["Server", "All, first time", "All, again", "Page of 1,000, again"], rows)}`;
  });
  const driveReads = "OneDrive: 64 small files read at once, 100 ms a call";
  await section(driveReads, async () => {
    const rows = (await measureReads(work)).map(({ gateway, first, again }) => [
      gateway,
      `${first.toFixed(2)} s`,
      `${again.toFixed(2)} s`,
    ]);
    return `## ${driveReads}\n\n${table(["Server", "First time", "Again"], rows)}`;
  });
  const epochs = "OneDrive: 10,000 files of 100 KiB read twice, with a cache on disk, 100 ms a call";
  await section(epochs, async () => {
    const rows = (await measureEpochs(work)).map(({ gateway, first, second, calls }) => [
      gateway,
      `${first.toFixed(1)} s`,
      `${second.toFixed(1)} s`,
      String(calls),
    ]);
    return `## ${epochs}\n\n${table(["Server", "First read", "Second read", "Calls in the second"], rows)}`;
  });
  const large = "OneDrive: 1 GiB, 100 ms a call";
  await section(large, async () => {
    const rows = (await measureLarge(work)).map(({ gateway, up, down }) => [
      gateway,
      `${up.toFixed(0)} MiB/s`,
      `${down.toFixed(0)} MiB/s`,
    ]);
    return `## ${large}\n\n${table(["Server", "PUT", "GET"], rows)}`;
  });
} finally {
  rmSync(work, { recursive: true, force: true });
}

if (wanted === undefined)
  writeFileSync(
    results,
    `# Results

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}. Each server runs on one core and the client on the other; all
servers of a table take turns within the same run, and each figure is the median of ${rounds} rounds of ${seconds} s after a
warm-up of ${warmUp} s. Absolute speeds are those of one small virtual machine: the ratios tell. Requests are signed (SigV4) and uploads carry
SHA-256 and CRC-32, as boto3 sends them. "bare …" is the least that Node.js must do for the same work without
S3. rclone, versitygw and MinIO are measured where their programs are on PATH; s3rver is fetched from npm.

${sections.join("\n\n")}
`,
  );
