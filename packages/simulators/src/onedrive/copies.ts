import { randomBytes } from "node:crypto";
import type { Call, Operation, Reply } from "../drives/call.ts";
import type { Clock } from "../drives/clock.ts";
import type { Conflict, Drive, Item } from "./drive.ts";
import { GraphError, notFound } from "./errors.ts";
import type { Json } from "./item-json.ts";

const mostItems = 30_000;
const mostJobs = 10_000;

interface Job {
  readonly started: number;
  status: "inProgress" | "completed" | "failed";
  resourceId?: string;
  errorCode?: string;
  message?: string;
}

export interface CopyTarget {
  readonly parent: Item;
  readonly name: unknown;
  readonly conflict: Conflict;
}

/** Copies, which go on behind the answer, and the addresses that tell how far they are. */
export class Copies {
  readonly #drive: Drive;
  readonly #clock: Clock;
  readonly #time: number;
  readonly #done: number;
  readonly #jobs = new Map<string, Job>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Where the addresses lead, and where items are; known once the listeners are. */
  origin = "";
  items = "";

  constructor(drive: Drive, clock: Clock, time = 0, done = 200) {
    this.#drive = drive;
    this.#clock = clock;
    this.#time = time;
    this.#done = done;
  }

  start(item: Item, target: CopyTarget): Reply {
    const id = randomBytes(16).toString("hex");
    const job: Job = { started: this.#clock.now(), status: "inProgress" };
    this.#jobs.set(id, job);
    if (this.#jobs.size > mostJobs) this.#jobs.delete(this.#jobs.keys().next().value!);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#finish(job, item, target);
    }, this.#time);
    this.#timers.add(timer.unref());
    return { status: 202, headers: { location: `${this.origin}/monitor/${id}` } };
  }

  operation(call: Call): Operation {
    return {
      endpoint: `${call.method} monitor`,
      run: () => {
        const job = this.#jobs.get(call.path.slice("/monitor/".length));
        if (!job) throw notFound();
        return this.#status(job);
      },
    };
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #status({ status, started, resourceId, errorCode, message }: Job): Reply {
    const gone = this.#clock.now() - started;
    const part = Math.min(99, this.#time === 0 ? 0 : (gone / this.#time) * 100);
    const body: Json = {
      operation: "itemCopy",
      percentageComplete: status === "completed" ? 100 : Math.round(part * 10) / 10,
      status,
    };
    if (resourceId !== undefined) body.resourceId = resourceId;
    if (errorCode !== undefined) Object.assign(body, { errorCode, statusDescription: message });
    if (status === "inProgress") return { status: 202, body };
    if (status === "completed" && this.#done === 303)
      return { status: 303, headers: { location: `${this.items}/${resourceId}` }, body };
    return { status: status === "completed" ? this.#done : 200, body };
  }

  #finish(job: Job, item: Item, { parent, name, conflict }: CopyTarget): void {
    try {
      if (item.removed || parent.removed) throw notFound();
      let items = 0;
      for (const _ of this.#drive.tree.below(item)) items += 1;
      if (items > mostItems) throw new GraphError(400, "copyLimitExceeded", `More than ${mostItems} items.`);
      job.resourceId = this.#drive.copy(item, parent, name, conflict).id;
      job.status = "completed";
    } catch (error) {
      job.status = "failed";
      const { code = "generalException", message } = error as GraphError;
      job.errorCode = code[0]!.toUpperCase() + code.slice(1);
      job.message = message;
    }
  }
}
