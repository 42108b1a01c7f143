import { randomBytes } from "node:crypto";
import { ask, type RequestShape } from "../requests.ts";
import { gateways, startGateway, startStandIn } from "./stack.ts";

export interface CallsFigure {
  readonly operation: string;
  /** Calls to the drive, in the order of the gateways. */
  readonly calls: readonly number[];
}

const bucket = "/sample";
const file = (number: number) => `${bucket}/00000/${String(number).padStart(7, "0")}.txt`;
const mebibyte = randomBytes(1024 * 1024);
const many = Array.from({ length: 1000 }, (_, i) => `many/${i}`);
const deletion = Buffer.from(
  `<Delete><Quiet>true</Quiet>${many.map((key) => `<Object><Key>${key}</Key></Object>`).join("")}</Delete>`,
);

const operations: readonly (readonly [title: string, request: RequestShape])[] = [
  ["HEAD", { method: "HEAD", path: file(1) }],
  ["LIST of a folder", { method: "GET", path: bucket, query: { "list-type": "2", prefix: "00001/" } }],
  ["GET, for the first time", { method: "GET", path: file(2) }],
  ["GET, again", { method: "GET", path: file(2) }],
  ["GET, other bytes of it", { method: "GET", path: file(2), headers: { range: "bytes=1-3" } }],
  ["PUT of 1 MiB", { method: "PUT", path: `${bucket}/00000/new`, body: mebibyte }],
  [
    "PUT of 1 MiB with user metadata",
    { method: "PUT", path: `${bucket}/00000/told`, body: mebibyte, headers: { "x-amz-meta-a": "b" } },
  ],
  ["DELETE", { method: "DELETE", path: file(3) }],
  ["DeleteObjects of 1,000", { method: "POST", path: bucket, query: { delete: "" }, body: deletion }],
];

/** How many calls to a simulated OneDrive one S3 request costs, once the gateway knows the drive. */
export async function measureCalls(work: string): Promise<CallsFigure[]> {
  const figures = operations.map(([operation]) => ({ operation, calls: [] as number[] }));
  for (const gateway of gateways()) {
    const standIn = await startStandIn(work, 300);
    const serving = await startGateway(gateway, standIn, work, "calls", ["--poll-interval", "1h"]);
    try {
      const { port } = serving;
      await Promise.all(
        many.map((key) => ask(port, { method: "PUT", path: `${bucket}/${key}`, body: Buffer.from("x") })),
      );
      // Twice: what is known after the first listing is known.
      for (let i = 0; i < 2; i++)
        await ask(port, { method: "GET", path: bucket, query: { "list-type": "2" } });
      await settled(standIn.calls);
      for (const [i, [, request]] of operations.entries()) {
        await standIn.reset();
        await ask(port, request);
        await settled(standIn.calls);
        const calls = Object.values(await standIn.calls());
        figures[i]!.calls.push(calls.reduce((sum, times) => sum + times, 0));
      }
    } finally {
      await serving.stop();
      await standIn.stop();
    }
  }
  return figures;
}

/** Waits until no call has come for a second: some answer before all is done. */
async function settled(calls: () => Promise<Record<string, number>>): Promise<void> {
  for (let before = ""; ; ) {
    const now = JSON.stringify(await calls());
    if (now === before) return;
    before = now;
    await new Promise((done) => setTimeout(done, 1000));
  }
}
