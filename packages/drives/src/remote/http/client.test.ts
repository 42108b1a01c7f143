import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FinishedCall, HttpClient, type HttpOptions, judgeStatus, LostAnswer } from "./index.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let server: Server;
let url: string;
let answers: Answer[];
let seen: { path: string; body: string; headers: IncomingMessage["headers"] }[];
let clients: HttpClient[];
let refused: string[];

beforeEach(async () => {
  answers = [];
  seen = [];
  clients = [];
  refused = [];
  server = createServer(async (request, response) => {
    const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
    const entry = { path: request.url!, body: "", headers: request.headers };
    seen.push(entry);
    for await (const chunk of request) entry.body += chunk;
    answer(request, response, entry.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  for (const client of clients) await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
const reset: Answer = (request) => request.socket.resetAndDestroy();

/** A client whose clock stands still but for what it sleeps. */
function client(options: Partial<HttpOptions> = {}) {
  let now = 1_000_000;
  const slept: number[] = [];
  let token = 0;
  const calls: FinishedCall[] = [];
  const pauses: number[] = [];
  const made = new HttpClient({
    name: "Service",
    tokens: {
      get: async () => `secret-${token}`,
      refused: (which) => {
        refused.push(which);
        token += 1;
      },
    },
    judge: (refusal) => judgeStatus("Service", refusal, refusal.text),
    random: () => 1,
    observer: { called: (call) => calls.push(call), throttled: (milliseconds) => pauses.push(milliseconds) },
    ...options,
    clock: {
      now: () => now,
      async sleep(milliseconds, signal) {
        // What nobody waits for any more does not let time pass.
        await new Promise((resolve) => setImmediate(resolve));
        if (signal?.aborted || milliseconds >= 20_000) return new Promise(() => {});
        slept.push(milliseconds);
        now += milliseconds;
      },
    },
  });
  clients.push(made);
  const get = (more = {}) =>
    made.json<{ n: number }>({ endpoint: "GET thing", method: "GET", url: `${url}/thing`, ...more });
  const post = (more = {}) =>
    made.json({ endpoint: "POST thing", method: "POST", url: `${url}/thing`, body: "text", ...more });
  return { made, get, post, slept, calls, pauses };
}

test("sends the token, the address byte for byte, and reads JSON", async () => {
  answers = [json({ n: 1 })];
  const { get } = client({ headers: { "user-agent": "Overcoat" } });
  expect((await get({ url: `${url}/a%2e%2E/../b?tempauth=v1%2e'x` })).body).toEqual({ n: 1 });
  expect(seen[0]).toMatchObject({
    path: "/a%2e%2E/../b?tempauth=v1%2e'x",
    headers: { authorization: "Bearer secret-0", "user-agent": "Overcoat" },
  });
});

test("a pre-authenticated address gets no token", async () => {
  answers = [json({})];
  await client().get({ authorized: false });
  expect(seen[0]?.headers.authorization).toBeUndefined();
});

test("JSON may be compressed", async () => {
  answers = [
    (_, response) =>
      response
        .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
        .end(gzipSync('{"n":2}')),
  ];
  expect((await client().get()).body).toEqual({ n: 2 });
});

test("a refused token is given up for another one, once", async () => {
  answers = [json({}, 401), json({ n: 1 })];
  const { get } = client();
  expect((await get()).body.n).toBe(1);
  expect(refused).toEqual(["secret-0"]);
  expect(seen.map(({ headers }) => headers.authorization)).toEqual(["Bearer secret-0", "Bearer secret-1"]);

  answers = [json({}, 401)];
  await expect(get()).rejects.toMatchObject({ code: "Unauthenticated" });
  expect(seen).toHaveLength(4);
});

test.each([
  ["2", 2000],
  ["2.128", 2128],
  // By the clock of the service, which is not ours.
  ["Thu, 01 Jan 2026 00:00:07 GMT", 7000],
])("Retry-After: %s is waited for", async (value, milliseconds) => {
  const headers = { "retry-after": value, date: "Thu, 01 Jan 2026 00:00:00 GMT" };
  answers = [json({}, 429, headers), json({ n: 1 })];
  const { post, slept, calls, pauses } = client();
  await post();
  expect(slept).toEqual([milliseconds]);
  expect(pauses).toEqual([milliseconds]);
  expect(calls.map(({ status, waited }) => [status, waited])).toEqual([
    [429, 0],
    [200, milliseconds],
  ]);
  expect(seen.map(({ body }) => body)).toEqual(["text", "text"]);
});

test("a pause holds all calls of the drive", async () => {
  answers = [json({ n: 1 })];
  const { get, made, slept } = client();
  made.pause(4000);
  const calls = [get(), get(), get()];
  await Promise.all(calls);
  expect(slept).toEqual([4000]);
});

test("a pause that is too long is told of at once, and how long it is", async () => {
  answers = [json({}, 429, { "retry-after": "300" })];
  const { get } = client();
  await expect(get()).rejects.toMatchObject({ code: "Throttled", retryAfter: 300_000 });
  await expect(get()).rejects.toMatchObject({ code: "Throttled", retryAfter: 300_000 });
  expect(seen).toHaveLength(1);
});

test("what the service failed at is repeated where that is safe, later each time", async () => {
  answers = [json({}, 503), json({}, 500), reset, json({ n: 1 })];
  const { get, slept, calls } = client();
  expect((await get()).body.n).toBe(1);
  expect(slept).toEqual([500, 1000, 2000]);
  expect(calls.map(({ endpoint, status, attempt, waited }) => [endpoint, status, attempt, waited])).toEqual([
    ["GET thing", 503, 1, 0],
    ["GET thing", 500, 2, 500],
    ["GET thing", undefined, 3, 1000],
    ["GET thing", 200, 4, 2000],
  ]);
});

test("repeats come to an end", async () => {
  answers = [json({}, 502)];
  await expect(client().get()).rejects.toMatchObject({ code: "Unavailable" });
  expect(seen).toHaveLength(6);
});

test("what may have been done is not repeated by itself", async () => {
  answers = [reset];
  const { post } = client();
  await expect(post()).rejects.toBeInstanceOf(LostAnswer);
  expect(seen).toHaveLength(1);
  answers = [reset, json({})];
  await post({ repeatable: true });
  expect(seen).toHaveLength(3);
});

test("what cannot have been done is", async () => {
  server.close();
  const { post, slept } = client({ attempts: 3 });
  const error = await post().catch((error) => error);
  expect(error).toMatchObject({ code: "Unavailable", message: "Service cannot be reached (ECONNREFUSED)" });
  expect(error).not.toBeInstanceOf(LostAnswer);
  expect(slept).toEqual([500, 1000]);
});

test("an answer that is cut short is none", async () => {
  answers = [
    (_, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
      response.write('{"n": 1}');
      response.socket!.end();
    },
    json({ n: 2 }),
  ];
  expect((await client().get()).body.n).toBe(2);
});

test("bytes come as they are, and their breaking off is seen", async () => {
  const { made } = client();
  const request = { endpoint: "GET download", method: "GET", url: `${url}/file`, authorized: false };
  answers = [(_, response) => response.end("whole")];
  const read = async (body: AsyncIterable<Buffer>) => Buffer.concat(await Array.fromAsync(body)).toString();
  expect(await read((await made.stream(request)).body)).toBe("whole");
  answers = [
    (_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half");
      response.socket!.end();
    },
  ];
  const { body } = await made.stream(request);
  await expect(read(body)).rejects.toMatchObject({ code: "Unavailable" });
});

test("an answer that does not come, and one that stops, are given up", async () => {
  const { made, get } = client({ timeOuts: { headers: 300, idle: 300 }, attempts: 1 });
  answers = [() => {}];
  await expect(get()).rejects.toThrow("did not answer GET thing (UND_ERR_HEADERS_TIMEOUT)");
  answers = [(_, response) => void response.writeHead(200, { "content-length": "9" }).write("half")];
  const { body } = await made.stream({ endpoint: "GET download", method: "GET", url: `${url}/file` });
  await expect(Array.fromAsync(body)).rejects.toThrow("broke off (UND_ERR_BODY_TIMEOUT)");
});

test("a body that cannot be read is no fault of the service", async () => {
  answers = [json({})];
  const broken = new Error("disk");
  const body = {
    size: 10,
    async *read() {
      yield Buffer.from("half");
      throw broken;
    },
  };
  await expect(client().post({ body, repeatable: true })).rejects.toBe(broken);
  expect(seen.length).toBeLessThanOrEqual(1);
});

test("a body is read again when the call is repeated", async () => {
  answers = [json({}, 500), json({})];
  const body = {
    size: 5,
    async *read() {
      yield Buffer.from("bytes");
    },
  };
  await client().post({ body, repeatable: true });
  expect(seen.map(({ body, headers }) => [body, headers["content-length"]])).toEqual([
    ["bytes", "5"],
    ["bytes", "5"],
  ]);
});

test("a signal ends a call, its waiting too", async () => {
  answers = [() => {}];
  const { get, made } = client();
  const stop = new AbortController();
  const call = get({ signal: stop.signal });
  await expect.poll(() => seen.length).toBe(1);
  stop.abort(new Error("enough"));
  await expect(call).rejects.toThrow("enough");
  made.pause(15_000_000);
  await expect(get({ signal: stop.signal })).rejects.toThrow("enough");
});

test("a service that fails again and again is left alone for a while", async () => {
  const { get } = client({ attempts: 1, breaker: { failures: 3, milliseconds: 200 } });
  answers = [json({}, 500)];
  for (let n = 0; n < 3; n += 1) await expect(get()).rejects.toThrow("with 500");
  await expect(get()).rejects.toMatchObject({ code: "Unavailable", retryAfter: 200 });
  expect(seen).toHaveLength(3);
  answers = [json({ n: 1 })];
  await expect
    .poll(() =>
      get().then(
        ({ body }) => body.n,
        () => 0,
      ),
    )
    .toBe(1);
});

test("refusals are answers: they do not count as failures", async () => {
  const { get } = client({ attempts: 1, breaker: { failures: 2, milliseconds: 10_000 } });
  answers = [json({}, 404)];
  for (let n = 0; n < 5; n += 1) await expect(get()).rejects.toMatchObject({ code: "NotFound" });
});

test("calls under way are limited, fewer after a pause", async () => {
  let most = 0;
  let left = 0;
  const waiting: ServerResponse[] = [];
  const { get, made } = client({ concurrency: { first: 4, most: 4 } });
  /** Makes calls of which none is answered before `limit` are there, and the next ones would be if they came too. */
  async function call(count: number, limit: number) {
    [most, left] = [0, count];
    answers = [
      (_, response) => {
        most = Math.max(most, waiting.push(response));
        if (waiting.length !== Math.min(limit, left)) return;
        setTimeout(() => {
          left -= waiting.length;
          for (const one of waiting.splice(0)) json({})(undefined as never, one, "");
        }, 20);
      },
    ];
    await Promise.all(Array.from({ length: count }, () => get()));
  }
  await call(12, 4);
  expect(most).toBe(4);
  made.pause(10);
  await call(3, 2);
  expect(most).toBe(2);
});

test("a call that waits for changes takes no place", async () => {
  const { get } = client({ concurrency: { first: 1, most: 1 } });
  let open!: ServerResponse;
  answers = [
    (_, response) => {
      open = response;
    },
    json({ n: 1 }),
  ];
  const waiting = get({ waits: 1000, method: "POST" });
  await expect.poll(() => seen.length).toBe(1);
  expect((await get()).body.n).toBe(1);
  json({})(undefined as never, open, "");
  await waiting;
});

test("errors hold no secret", async () => {
  const { get } = client({ attempts: 1 });
  answers = [json({ message: `${url}/thing?sig=hidden Bearer hidden` }, 400)];
  const secret = { url: `${url}/hidden?sig=hidden` };
  const errors = [await get(secret).catch((error) => error)];
  answers = [reset];
  errors.push(await get(secret).catch((error) => error));
  for (const error of errors) {
    expect(error.message).toMatch(/^Service .*GET thing/);
    expect(`${error.stack} ${JSON.stringify(error)} ${error.cause}`).not.toMatch(/hidden|secret-/);
  }
});
