import { join } from "node:path";
import { send } from "../load.ts";
import type { RequestShape } from "../requests.ts";
import { type Gateway, gateways, type Serving, startGateway, startStandIn } from "./stack.ts";

const small = 64;
const epochFiles = 10_000;
const epochBytes = 100 * 1024;

export interface ReadsFigure {
  readonly gateway: Gateway;
  /** Seconds to read 64 small files at once: for the first time, and again. */
  readonly first: number;
  readonly again: number;
}

export interface EpochFigure {
  readonly gateway: Gateway;
  /** Seconds of the first and the second read of all files, and calls to the drive in the second. */
  readonly first: number;
  readonly second: number;
  readonly calls: number;
}

const get = (path: string): RequestShape => ({ method: "GET", path: `/sample/${path}` });

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** Makes the gateway know the drive, as it does after some time. */
async function listed({ port }: Serving): Promise<void> {
  await send(port, [{ method: "GET", path: "/sample", query: { "list-type": "2" } }]);
  await new Promise((done) => setTimeout(done, 5000));
}

/** Reads 64 small files of a simulated OneDrive at once. */
export async function measureReads(work: string): Promise<ReadsFigure[]> {
  const standIn = await startStandIn(work, 1000);
  const requests = Array.from({ length: small }, (_, i) =>
    get(`00005/${String(500 + i).padStart(7, "0")}.txt`),
  );
  const figures: ReadsFigure[] = [];
  try {
    for (const gateway of gateways()) {
      const serving = await startGateway(gateway, standIn, work, "reads");
      try {
        await listed(serving);
        const read = () => timed(() => send(serving.port, requests, small));
        figures.push({ gateway, first: await read(), again: await read() });
      } finally {
        await serving.stop();
      }
    }
  } finally {
    await standIn.stop();
  }
  return figures;
}

/** Reads 10,000 files of 100 KiB twice, with a cache on disk. */
export async function measureEpochs(work: string): Promise<EpochFigure[]> {
  const standIn = await startStandIn(work, 0);
  const path = (i: number) => `epoch/${String(i).padStart(5, "0")}`;
  const requests = Array.from({ length: epochFiles }, (_, i) => get(path(i)));
  const figures: EpochFigure[] = [];
  try {
    const filling = await startGateway("overcoat", standIn, work, "filling");
    const body = Buffer.alloc(epochBytes, "x");
    await send(filling.port, [{ method: "PUT", path: "/sample" }]);
    await send(
      filling.port,
      Array.from({ length: epochFiles }, (_, i) => ({ method: "PUT", path: `/sample/${path(i)}`, body })),
      64,
    );
    await filling.stop();
    for (const gateway of gateways()) {
      const serving = await startGateway(gateway, standIn, work, "epochs", [
        "--cache-dir",
        join(work, "cache"),
        "--cache-size",
        "4G",
      ]);
      try {
        await listed(serving);
        const read = () => timed(() => send(serving.port, requests, 64));
        const first = await read();
        await standIn.reset();
        const second = await read();
        const { "GET delta": polls = 0, ...calls } = await standIn.calls();
        const total = Object.values(calls).reduce((sum, times) => sum + times, 0);
        figures.push({ gateway, first, second, calls: total });
      } finally {
        await serving.stop();
      }
    }
  } finally {
    await standIn.stop();
  }
  return figures;
}
