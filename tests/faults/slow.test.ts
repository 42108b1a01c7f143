import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Gateway, startGateway } from "../gateway.ts";
import { head, send, sign } from "./requests.ts";
import { childrenOf, eventually, filesBelow, openFiles, temporaries } from "./state.ts";

/** Long enough for what the server does after a client is cut off, on a busy machine. */
const late = 30_000;
const clients: Socket[] = [];
let gateway: Gateway;
let files: string[];
let descriptors: number;

interface Client {
  readonly socket: Socket;
  received: string;
  closed: boolean;
}

function open(first: string): Client {
  const socket = connect(gateway.port, "127.0.0.1");
  const client: Client = { socket, received: "", closed: false };
  clients.push(socket);
  socket.on("data", (chunk) => {
    client.received += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    client.closed = true;
  });
  socket.write(first, "latin1");
  return client;
}

/** Sends a byte now and then, until the server has closed the connection. */
async function trickle(client: Client, bytes: () => string, every: number): Promise<void> {
  const deadline = Date.now() + late;
  while (!client.closed && Date.now() < deadline) {
    client.socket.write(bytes());
    await sleep(every);
  }
}

async function prepare(flags: readonly string[]) {
  gateway = await startGateway({ workers: 1, flags });
  await send(gateway, "PUT", "/bucket");
  await send(gateway, "PUT", "/bucket/object", { body: "whole" });
  expect((await send(gateway, "PUT", "/bucket/large", { body: Buffer.alloc(64 << 20) })).status).toBe(200);
  files = await filesBelow(gateway.folder);
  descriptors = openFiles(gateway.pid);
}

/** Others are served all the while, and afterwards nothing is left of the slow ones. */
function unharmed() {
  afterEach(async () => {
    for (const socket of clients.splice(0)) socket.destroy();
    expect((await send(gateway, "GET", "/bucket/object")).body.toString()).toBe("whole");
    expect(
      await eventually(
        () => temporaries(gateway),
        (left) => left.length === 0,
        late,
      ),
    ).toEqual([]);
    expect(await filesBelow(gateway.folder)).toEqual(files);
    const left = await eventually(
      () => openFiles(gateway.pid),
      (count) => count <= descriptors,
      late,
    );
    expect(left).toBeLessThanOrEqual(descriptors);
  });
  afterAll(() => gateway?.stop());
}

const serves = async () =>
  expect((await send(gateway, "GET", "/bucket/object")).body.toString()).toBe("whole");

describe("a request must arrive within --server-read-timeout", () => {
  beforeAll(() => prepare(["--server-read-timeout", "1s"]));
  unharmed();

  test("headers that trickle", async () => {
    const slow = Array.from({ length: 20 }, () => open("GET /bucket/object HTTP/1.1\r\nhost: a\r\nx-a: "));
    const trickling = slow.map((client) => trickle(client, () => "x", 200));
    await serves();
    await Promise.all(trickling);
    for (const { closed, received } of slow) {
      expect(closed).toBe(true);
      expect(received).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n.*<Code>RequestTimeout</s);
    }
  });

  test("a connection without a request", async () => {
    const idle = open("");
    expect(await eventually(() => idle.closed, Boolean, late)).toBe(true);
  });

  test("a body that trickles", async () => {
    const { headers } = sign(
      gateway,
      "PUT",
      "/bucket/object",
      { "content-length": "100000" },
      "UNSIGNED-PAYLOAD",
    );
    const slow = Array.from({ length: 20 }, () => open(head("PUT", "/bucket/object", headers)));
    const trickling = slow.map((client) => trickle(client, () => "x".repeat(500), 200));
    await serves();
    await Promise.all(trickling);
    for (const { closed, received } of slow) {
      expect(closed).toBe(true);
      expect(received).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n.*<Code>RequestTimeout</s);
    }
  });
});

describe("a client that is waited for must send or take something within --server-write-timeout", () => {
  beforeAll(() => prepare(["--server-write-timeout", "3s"]));
  unharmed();

  test("a body that stops", async () => {
    const { headers } = sign(
      gateway,
      "PUT",
      "/bucket/object",
      { "content-length": "100000" },
      "UNSIGNED-PAYLOAD",
    );
    const slow = Array.from({ length: 20 }, () => open(`${head("PUT", "/bucket/object", headers)}some`));
    await serves();
    expect(await eventually(() => slow.every(({ closed }) => closed), Boolean, late)).toBe(true);
  });

  test("a body that trickles, without a limit for the whole", async () => {
    const target = "/bucket/object";
    const plain = sign(gateway, "PUT", target, { "content-length": "100000" }, "UNSIGNED-PAYLOAD");
    const chunks = sign(gateway, "PUT", target, { "transfer-encoding": "chunked" }, "UNSIGNED-PAYLOAD");
    const slow = open(head("PUT", target, plain.headers));
    const chunked = open(head("PUT", target, chunks.headers));
    const trickling = [trickle(slow, () => "x", 300), trickle(chunked, () => "1\r\nx\r\n", 300)];
    await serves();
    await Promise.all(trickling);
    for (const { closed, received } of [slow, chunked]) {
      expect(closed).toBe(true);
      expect(received).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n.*<Code>RequestTimeout</s);
    }
  });

  test("a body that comes steadily is taken, however long it takes", async () => {
    const length = 30;
    const { headers } = sign(
      gateway,
      "PUT",
      "/bucket/steady",
      { "content-length": String(length * 500) },
      "UNSIGNED-PAYLOAD",
    );
    const steady = open(head("PUT", "/bucket/steady", headers));
    for (let sent = 0; sent < length; sent++) {
      steady.socket.write("x".repeat(500));
      await sleep(150);
    }
    expect(
      await eventually(
        () => steady.received,
        (text) => text !== "",
        late,
      ),
    ).toMatch(/^HTTP\/1\.1 200 OK/);
    expect((await send(gateway, "DELETE", "/bucket/steady")).status).toBe(204);
  });

  test("a large object that nobody takes", async () => {
    const { headers } = sign(gateway, "GET", "/bucket/large", {}, "UNSIGNED-PAYLOAD");
    const before = openFiles(gateway.pid);
    const stopped = Array.from({ length: 20 }, () => {
      const client = open(head("GET", "/bucket/large", headers));
      client.socket.pause();
      return client;
    });
    await eventually(
      () => openFiles(gateway.pid),
      (count) => count >= before + 40,
      late,
    );
    await serves();
    // Each held a connection and a file.
    expect(
      await eventually(
        () => openFiles(gateway.pid),
        (count) => count <= before,
        late,
      ),
    ).toBeLessThanOrEqual(before);
    expect(stopped).toHaveLength(20);
  });
});

describe("many connections", () => {
  beforeAll(async () => {
    // Few descriptors, so that few connections are many.
    gateway = await startGateway({ workers: 1, runner: ["prlimit", "--nofile=1024:1024"] });
    await send(gateway, "PUT", "/bucket");
    await send(gateway, "PUT", "/bucket/object", { body: "whole" });
    files = await filesBelow(gateway.folder);
    descriptors = openFiles(gateway.pid);
  });
  unharmed();

  test("2,000 idle ones leave room for files and are closed where there is none for them", async () => {
    const idle = Array.from({ length: 2000 }, () => open(""));
    const open1 = () => idle.filter(({ closed }) => !closed).length;
    expect(await eventually(open1, (count) => count < 400, late)).toBeLessThan(400);
    expect(openFiles(gateway.pid)).toBeLessThan(600);
    // The kept connection of this client is still served.
    for (let count = 0; count < 20; count++) await serves();
    expect((await send(gateway, "PUT", "/bucket/object", { body: "whole" })).status).toBe(200);
    expect(childrenOf(gateway.pid)).toEqual([]);
  });
});
