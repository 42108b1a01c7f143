import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigFile, findRemote, openVendor, remoteDrive } from "@overcoat/drives";
import { startOneDrive } from "@overcoat/simulators";
import { expect, test } from "vitest";
import { writeRemote } from "../stand-ins.ts";
import { DriveMetrics } from "./drive-metrics.ts";

test("calls, throttling and cached reads of a drive are counted", async () => {
  await using parts = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "overcoat-metrics-"));
  parts.defer(() => rm(folder, { recursive: true }));
  const server = parts.use(await startOneDrive({ files: { "bucket/a": "x".repeat(3000) } }));
  const path = join(folder, "rclone.conf");
  await writeRemote(path, "mine", server);
  const file = new ConfigFile(path);
  const metrics = new DriveMetrics();
  const value = async (name: string) => {
    const text = await metrics.text();
    const line = text.split("\n").find((one) => one.startsWith(`overcoat_drive_${name} `));
    return Number(line?.split(" ").at(-1));
  };
  const drive = '{vendor="onedrive",remote="mine"}';
  const observer = metrics.observer("onedrive", "mine", true);
  expect(await value(`throttled_total${drive}`)).toBe(0);

  const data = join(folder, "data");
  const vendor = await openVendor((await findRemote(file, "mine"))!, undefined, { file, data, observer });
  const opened = await remoteDrive(vendor, { data, cacheDir: join(folder, "cache"), observer });
  parts.defer(() => opened.close());
  const read = async () => {
    const file = await opened.open("bucket/a");
    const chunks = await Array.fromAsync(file!.readChunks(0, 3000));
    await file!.close();
    return Buffer.concat(chunks).length;
  };
  server.fault({ on: "GET download", status: 429, headers: { "retry-after": "0.2" } });
  expect([await read(), await read()]).toEqual([3000, 3000]);

  const calls = (status: string) =>
    value(`calls_total{vendor="onedrive",remote="mine",endpoint="GET download",status="${status}"}`);
  expect([await calls("4xx"), await calls("2xx")]).toEqual([1, 1]);
  expect(server.calls.counts.calls["GET download"]).toBe(2);
  const seconds = 'call_seconds_count{vendor="onedrive",remote="mine",endpoint="GET download"}';
  expect(await value(seconds)).toBe(2);
  expect(await value(`throttled_total${drive}`)).toBe(1);
  expect(await value(`repeats_total${drive}`)).toBe(1);
  expect(await value(`paused_seconds_total${drive}`)).toBeCloseTo(0.2);
  expect(await value(`wait_seconds_total${drive}`)).toBeGreaterThan(0.15);
  for (const result of ["hit", "miss"]) {
    const of = `{vendor="onedrive",remote="mine",result="${result}"}`;
    expect(await value(`cache_bytes_total${of}`), result).toBe(3000);
    expect(await value(`cache_blocks_total${of}`), result).toBe(1);
  }
});
