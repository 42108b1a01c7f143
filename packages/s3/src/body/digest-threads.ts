import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { BodyDigests, Digests, WantedDigests } from "./digests.ts";

/** Chunks under way to a thread, for each body. */
export const slots = 4;
export const slotSize = 64 * 1024;

/** To a thread: a body begins, a slot is filled, the body ends or is given up. */
export type ToThread =
  | { id: number; begin: WantedDigests; memory: SharedArrayBuffer; taken: SharedArrayBuffer }
  | { id: number; slot: number; length: number }
  | { id: number; end: "finish" | "close" };
export type FromThread = { id: number; md5: string; sha256?: string; checksum?: string };

const mostThreads = 4;
/** Bodies that threads hash at the same time; more are hashed where they are read. */
const mostBodies = 16;

interface Thread {
  readonly worker: Worker;
  readonly bodies: Map<number, ThreadDigests>;
}

const threads: Thread[] = [];
let bodies = 0;
let nextId = 0;

/** Digests that a thread computes; undefined where there is no core for one, or all are taken. */
export function openThreadDigests(wanted: WantedDigests): Digests | undefined {
  const most = Math.min(mostThreads, availableParallelism() - 1);
  if (most < 1 || bodies >= mostBodies) return undefined;
  let thread = threads.toSorted((a, b) => a.bodies.size - b.bodies.size)[0];
  if (!thread || (thread.bodies.size > 0 && threads.length < most)) thread = startThread();
  return new ThreadDigests(thread, wanted);
}

function startThread(): Thread {
  const worker = new Worker(new URL("./digest-thread.ts", import.meta.url));
  // No thread keeps the process from ending.
  worker.unref();
  const thread: Thread = { worker, bodies: new Map() };
  threads.push(thread);
  worker.on("message", (message: FromThread) => thread.bodies.get(message.id)?.finished(message));
  const end = (error: Error) => {
    if (threads.includes(thread)) threads.splice(threads.indexOf(thread), 1);
    for (const body of thread.bodies.values()) body.failed(error);
  };
  worker.on("error", end);
  worker.on("exit", () => end(new Error("A hashing thread has ended")));
  return thread;
}

class ThreadDigests implements Digests {
  readonly #thread: Thread;
  readonly #id = nextId++;
  readonly #memory = new SharedArrayBuffer(slots * slotSize);
  /** Slots that the thread has done with since the beginning. */
  readonly #taken = new Int32Array(new SharedArrayBuffer(4));
  readonly #outcome = Promise.withResolvers<BodyDigests>();
  #filled = 0;
  #closed = false;

  constructor(thread: Thread, begin: WantedDigests) {
    this.#thread = thread;
    thread.bodies.set(this.#id, this);
    bodies++;
    this.#outcome.promise.catch(() => undefined);
    this.#post({ id: this.#id, begin, memory: this.#memory, taken: this.#taken.buffer as SharedArrayBuffer });
  }

  #post(message: ToThread): void {
    this.#thread.worker.postMessage(message);
  }

  async update(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length; at += slotSize) {
      await this.#free();
      const slot = this.#filled++ % slots;
      const piece = chunk.subarray(at, at + slotSize);
      new Uint8Array(this.#memory, slot * slotSize, piece.length).set(piece);
      this.#post({ id: this.#id, slot, length: piece.length });
    }
  }

  /** Waits until a slot is free. */
  async #free(): Promise<void> {
    for (;;) {
      const taken = Atomics.load(this.#taken, 0);
      if (this.#filled - taken < slots) return;
      const { async, value } = Atomics.waitAsync(this.#taken, 0, taken);
      // A thread that ends takes no more: its failure is told instead.
      if (async) await Promise.race([value, this.#outcome.promise]);
    }
  }

  finish(): Promise<BodyDigests> {
    this.#post({ id: this.#id, end: "finish" });
    return this.#outcome.promise;
  }

  finished({ md5, sha256, checksum }: FromThread): void {
    this.#outcome.resolve({ md5, sha256, checksum });
  }

  failed(error: Error): void {
    this.#outcome.reject(error);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    bodies--;
    this.#thread.bodies.delete(this.#id);
    this.#post({ id: this.#id, end: "close" });
  }
}
