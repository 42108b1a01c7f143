import { randomBytes } from "node:crypto";
import type { Clock } from "../drives/clock.ts";
import { RouteError, tagged } from "./errors.ts";
import type { Json } from "./metadata.ts";

interface Job {
  readonly ends: number;
  readonly result: Promise<Json>;
}

const mostJobs = 1000;

/** Work that goes on behind the answer. */
export class Jobs {
  readonly #clock: Clock;
  readonly #milliseconds: number;
  readonly #jobs = new Map<string, Job>();

  /** @param milliseconds that pass at least before a job is told to be done */
  constructor(clock: Clock, milliseconds = 0) {
    this.#clock = clock;
    this.#milliseconds = milliseconds;
  }

  /** Begins a job. @returns its id */
  start(work: () => Promise<Json>): string {
    const id = randomBytes(12).toString("base64url");
    this.#jobs.set(id, { ends: this.#clock.now() + this.#milliseconds, result: work() });
    if (this.#jobs.size > mostJobs) this.#jobs.delete(this.#jobs.keys().next().value!);
    return id;
  }

  /** @throws RouteError 409 */
  async check(id: string): Promise<Json> {
    const job = this.#jobs.get(id);
    if (!job) throw new RouteError(tagged("invalid_async_job_id"));
    return job.ends > this.#clock.now() ? { ".tag": "in_progress" } : job.result;
  }
}
