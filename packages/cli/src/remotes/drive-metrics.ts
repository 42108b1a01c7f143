import type { DriveObserver, FinishedCall } from "@overcoat/drives";
import { Counter, Histogram, Registry } from "prom-client";

const ofDrive = ["vendor", "remote"] as const;

/** What drives behind vendors' APIs do, for Prometheus. */
export class DriveMetrics {
  readonly #registry = new Registry();
  readonly #calls = new Counter({
    name: "overcoat_drive_calls_total",
    help: "Calls of the vendor's API by end point and class of status; none where no whole answer came.",
    labelNames: [...ofDrive, "endpoint", "status"],
    registers: [this.#registry],
  });
  readonly #seconds = new Histogram({
    name: "overcoat_drive_call_seconds",
    help: "Time from sending a call to its answer, of a download to its first byte.",
    labelNames: [...ofDrive, "endpoint"],
    buckets: [0.05, 0.2, 0.5, 2, 10, 60],
    registers: [this.#registry],
  });
  readonly #repeats = this.#counter("repeats", "Calls that were made again, counted among the calls too.");
  readonly #waited = this.#counter(
    "wait_seconds",
    "Time for which calls were held back: by pauses, by others under way, before repeats.",
  );
  readonly #throttled = this.#counter("throttled", "Answers by which the vendor asked for fewer calls.");
  readonly #paused = this.#counter(
    "paused_seconds",
    "Time for which no call was to begin after such answers.",
  );
  readonly #blocks = this.#counter("cache_blocks", "Blocks wanted of the block cache.", ["result"]);
  readonly #bytes = this.#counter("cache_bytes", "Bytes found in the block cache, or asked of the vendor.", [
    "result",
  ]);

  /** All counters begin at 0, so that their growth shows from the first on. @param cached whether it has a block cache */
  observer(vendor: string, remote: string, cached: boolean): DriveObserver {
    const drive = { vendor, remote };
    for (const counter of [this.#repeats, this.#waited, this.#throttled, this.#paused]) counter.inc(drive, 0);
    for (const result of cached ? ["hit", "miss"] : [])
      for (const counter of [this.#blocks, this.#bytes]) counter.inc({ ...drive, result }, 0);
    return {
      called: ({ endpoint, status, milliseconds, attempt, waited }) => {
        this.#calls.inc({ ...drive, endpoint, status: classOf(status) });
        this.#seconds.observe({ ...drive, endpoint }, milliseconds / 1000);
        this.#waited.inc(drive, waited / 1000);
        if (attempt > 1) this.#repeats.inc(drive);
      },
      throttled: (milliseconds) => {
        this.#throttled.inc(drive);
        this.#paused.inc(drive, milliseconds / 1000);
      },
      cached: ({ hit, blocks, bytes }) => {
        const read = { ...drive, result: hit ? "hit" : "miss" };
        this.#blocks.inc(read, blocks);
        this.#bytes.inc(read, bytes);
      },
    };
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #counter<Label extends string = never>(name: string, help: string, more: readonly Label[] = []) {
    return new Counter<(typeof ofDrive)[number] | Label>({
      name: `overcoat_drive_${name}_total`,
      help,
      labelNames: [...ofDrive, ...more],
      registers: [this.#registry],
    });
  }
}

const classOf = (status: FinishedCall["status"]) =>
  status === undefined ? "none" : `${Math.floor(status / 100)}xx`;
