import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localDrive } from "@overcoat/drives";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { BucketConfigurations } from "./configurations.ts";
import { SharedCounter } from "./shared-counter.ts";

let work: string;
let folder: string;
let counters: SharedCounter[];
let here: BucketConfigurations;
let there: BucketConfigurations;
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "overcoat-configurations-"));
  folder = join(work, "drive");
  await mkdir(join(folder, "bucket/.overcoat"), { recursive: true });
  counters = [new SharedCounter(join(work, "changes")), new SharedCounter(join(work, "changes"))];
  const [one, other] = counters.map(
    (counter) => new BucketConfigurations(localDrive(folder, { fsync: false }), counter),
  );
  here = one!;
  there = other!;
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(async () => {
  vi.useRealTimers();
  for (const counter of counters) counter.close();
  await rm(work, { recursive: true });
});

it("shows what another process has written or removed at once", async () => {
  expect(await here.get("bucket")).toEqual({});
  await there.write("bucket", { policy: "first" });
  expect(await here.get("bucket")).toEqual({ policy: "first" });
  await there.write("bucket", { policy: "second" });
  expect(await here.get("bucket")).toEqual({ policy: "second" });
  await there.remove("bucket");
  expect(await here.get("bucket")).toEqual({});
});

it("shows within a second what somebody else has changed", async () => {
  await here.write("bucket", { policy: "first" });
  const before = await here.get("bucket");
  await rm(join(folder, "bucket/.overcoat/bucket.json"));
  await writeFile(join(folder, "bucket/.overcoat/bucket.json"), '{"policy":"by hand"}');
  expect(await here.get("bucket")).toBe(before);
  vi.advanceTimersByTime(1000);
  expect(await here.get("bucket")).toEqual({ policy: "by hand" });
});
