/** A thread that hashes bodies: see `digest-threads.ts`. */
import { parentPort } from "node:worker_threads";
import { type FromThread, slotSize, type ToThread } from "./digest-threads.ts";
import { InlineDigests } from "./digests.ts";

interface Body {
  readonly digests: InlineDigests;
  readonly memory: SharedArrayBuffer;
  readonly taken: Int32Array;
}

const bodies = new Map<number, Body>();

parentPort!.on("message", (message: ToThread) => {
  const { id } = message;
  if ("begin" in message) {
    const { begin, memory, taken } = message;
    bodies.set(id, { digests: new InlineDigests(begin), memory, taken: new Int32Array(taken) });
    return;
  }
  const body = bodies.get(id)!;
  if ("slot" in message) {
    body.digests.update(new Uint8Array(body.memory, message.slot * slotSize, message.length));
    Atomics.add(body.taken, 0, 1);
    Atomics.notify(body.taken, 0);
  } else if (message.end === "finish")
    parentPort!.postMessage({ id, ...body.digests.finish() } satisfies FromThread);
  else bodies.delete(id);
});
