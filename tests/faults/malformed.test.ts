import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Gateway, startGateway } from "../gateway.ts";
import { hostileRequests } from "./hostile.ts";
import { send } from "./requests.ts";
import { filesBelow, openFiles, residentMemory, temporaries } from "./state.ts";

const round = 5000;
const atOnce = 48;
/** How much more memory a round may take than an equal one before it, in MiB. */
const growth = 24;
/** Milliseconds after which a server that waits for the rest gets none. */
const patience = 80;
/** Milliseconds after an answer in which there may be another. */
const quiet = 5;

const kept = Buffer.from("the well-known object ".repeat(50));
let gateway: Gateway;
let makers: ReturnType<typeof hostileRequests>;
beforeAll(async () => {
  // Little room for garbage, so that what grows is not garbage.
  const environment = { NODE_OPTIONS: "--max-old-space-size=64 --max-semi-space-size=4" };
  gateway = await startGateway({ workers: 1, environment });
  await send(gateway, "PUT", "/bucket");
  await send(gateway, "PUT", "/bucket/kept", { body: kept });
  const begun = await send(gateway, "POST", "/bucket/never?uploads=");
  const upload = /<UploadId>(.*)<\/UploadId>/.exec(begun.body.toString())![1]!;
  makers = hostileRequests({ keys: gateway, upload, kept: kept.toString("latin1") }, 20_240_607);
});
afterAll(() => gateway?.stop());

/** Sends bytes and gives the status of each answer; after some patience the rest is never sent. */
function exchange(bytes: string, turn: number): Promise<{ answers: number[]; text: string }> {
  return new Promise((resolve) => {
    const socket = connect(gateway.port, "127.0.0.1");
    let received = "";
    let waiting = setTimeout(() => (turn % 2 ? socket.end() : socket.destroy()), patience);
    const last = setTimeout(() => socket.destroy(), 5000);
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      received += chunk;
      clearTimeout(waiting);
      waiting = setTimeout(() => socket.end(), quiet);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(waiting);
      clearTimeout(last);
      resolve({
        answers: [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1])),
        text: received,
      });
    });
    socket.write(bytes, "latin1");
    if (turn % 11 === 0) socket.end();
  });
}

/** Sends a round of requests and gives what was answered with 500, by kind and request. */
async function attack(): Promise<Map<string, string>> {
  const failures = new Map<string, string>();
  const kinds = Object.entries(makers);
  let left = round;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) {
        const [kind, make] = kinds[left % kinds.length]!;
        const bytes = make();
        const { answers, text: received } = await exchange(bytes, left);
        const wrong = received !== "" && !/^HTTP\/1\.1 \d{3} /.test(received);
        if (wrong || answers.some((status) => status >= 500 && status !== 501))
          failures.set(kind, `${bytes.slice(0, 3000)}\n→ ${received.slice(0, 1000)}`);
      }
    }),
  );
  return failures;
}

test("10,000 random malformed requests do no harm", async () => {
  const files = async () =>
    [...(await filesBelow(gateway.folder)), ...(await filesBelow(`${gateway.data}/uploads`))].filter(
      (path) => !path.endsWith(".overcoat/bucket.json"),
    );
  const before = await files();
  const { pid } = gateway;
  expect(await attack()).toEqual(new Map());
  const memory = residentMemory(pid);
  const descriptors = openFiles(pid);

  expect(await attack()).toEqual(new Map());
  expect(residentMemory(pid) - memory).toBeLessThan(growth);
  expect(openFiles(pid)).toBeLessThan(descriptors + atOnce);
  expect(gateway.pid).toBe(pid);
  expect(gateway.log()).not.toMatch(/"?level"?:\s*(50|"error")|Unhandled|Uncaught/i);
  const read = await send(gateway, "GET", "/bucket/kept");
  expect([read.status, read.body.equals(kept)]).toEqual([200, true]);
  expect(await files()).toEqual(before);
  expect(await temporaries(gateway)).toEqual([]);
});
