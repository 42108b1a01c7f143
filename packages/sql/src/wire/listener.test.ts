import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SqlError } from "@overcoat/sources";
import pg from "pg";
import { afterEach, expect, test } from "vitest";
import { type Listener, type ListenerOptions, openListener } from "./listener.ts";
import type { Session } from "./session.ts";
import type { MessageWriter, Status } from "./writer.ts";

const limits = { startup: 30_000, statement: 0, stalled: 60_000, message: 1024 * 1024 };
const login = { user: "reader", password: "sesame" };
let closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

/** Answers `rows N`, `wait`, `begin` and `commit`; everything else is an error. */
class ScriptedSession implements Session {
  readonly parameters = [["server_version", "18.0"]] as const;
  readonly statementTimeout = 0;
  status: Status = "I";
  #text = "";

  query(text: string, out: MessageWriter, signal: AbortSignal): void | Promise<void> {
    const rows = /^rows (\d+)$/.exec(text);
    if (rows) return this.#rows(Number(rows[1]), out);
    if (text === "wait")
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    if (text === "begin" || text === "commit") {
      this.status = text === "begin" ? "T" : "I";
      return out.commandComplete(text.toUpperCase());
    }
    if (text === "bug") throw new TypeError("secret detail");
    throw new SqlError("42601", "what?", { detail: "a detail", hint: "a hint" });
  }

  async #rows(count: number, out: MessageWriter): Promise<void> {
    out.rowDescription([{ name: "text", typeOid: 25 }]);
    for (let index = 0; index < count; index++) {
      out.dataRow([index % 7 ? `row ${index} äöü €` : null]);
      if (out.full) await out.drained();
    }
    out.commandComplete(`SELECT ${count}`);
  }

  parse(_name: string, text: string, out: MessageWriter) {
    this.#text = text;
    out.bare("parseComplete");
  }
  bind(_portal: string, _statement: string, _values: unknown, out: MessageWriter) {
    out.bare("bindComplete");
  }
  describeStatement() {}
  describePortal() {}
  execute(_portal: string, _limit: number, out: MessageWriter, signal: AbortSignal) {
    return this.query(this.#text, out, signal);
  }
  closeStatement() {}
  closePortal() {}
  sync() {}
  fail(error: unknown) {
    if (this.status === "T") this.status = "E";
    return error instanceof SqlError ? error : new SqlError("XX000", "an error of ours");
  }
  async close() {}
}

async function listen(options: Partial<ListenerOptions> = {}): Promise<Listener & { port: number }> {
  const listener = await openListener({
    listen: [{ host: "127.0.0.1", port: 0 }],
    logins: [login],
    openSession: () => new ScriptedSession(),
    log: () => undefined,
    maxConnections: 1000,
    limits,
    graceful: 200,
    ...options,
  });
  closing.push(() => listener.close());
  return Object.assign(listener, { port: listener.addresses[0]!.port });
}

async function connect(port: number, more: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ host: "127.0.0.1", port, ...login, database: "any", ...more });
  client.on("error", () => undefined);
  closing.push(() => client.end().catch(() => undefined));
  await client.connect();
  return client;
}

/** A socket that tells what it gets. */
function raw(port: number): Socket & { received: () => Buffer; until: (text: string) => Promise<void> } {
  const socket = createConnection(port, "127.0.0.1");
  socket.on("error", () => undefined);
  closing.push(async () => socket.destroy());
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  const received = () => Buffer.concat(chunks);
  const until = async (text: string) => {
    while (!received().includes(text)) await sleep(5);
  };
  return Object.assign(socket, { received, until });
}

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const packet = (code: number, rest: Buffer = Buffer.alloc(0)) =>
  Buffer.concat([int32(8 + rest.length), int32(code), rest]);
const message = (type: string, body: string | Buffer) =>
  Buffer.concat([Buffer.from(type), int32(4 + Buffer.byteLength(body)), Buffer.from(body)]);
const start = (version: number, parameters: string) => packet(version, Buffer.from(`${parameters}\0\0`));

test("node-postgres logs in by SCRAM, reads rows and sees errors with all their parts", async () => {
  const { port } = await listen();
  const client = await connect(port);
  const { rows } = await client.query("rows 15");
  expect(rows).toHaveLength(15);
  expect(rows[0].text).toBeNull();
  expect(rows[8].text).toBe("row 8 äöü €");
  await expect(client.query("other")).rejects.toMatchObject({
    code: "42601",
    severity: "ERROR",
    message: "what?",
    detail: "a detail",
    hint: "a hint",
  });
  await expect(client.query("bug")).rejects.toMatchObject({
    code: "XX000",
    message: expect.not.stringContaining("secret"),
  });
  expect((await client.query("rows 1")).rowCount).toBe(1);
});

test("an error in an extended query is told once and passes over all until Sync", async () => {
  const { port } = await listen();
  const client = await connect(port);
  await expect(client.query({ text: "other", values: ["x"] })).rejects.toMatchObject({ code: "42601" });
  expect((await client.query({ text: "rows 3", values: ["x"] })).rowCount).toBe(3);
});

test("a wrong password and an unknown user are refused alike, and a removed login too", async () => {
  const listener = await listen();
  const { port } = listener;
  for (const user of ["reader", "nobody"])
    await expect(connect(port, { user, password: "wrong" })).rejects.toMatchObject({
      code: "28P01",
      message: `password authentication failed for user "${user}"`,
    });
  await listener.setLogins([{ user: "reader", password: "other" }]);
  await expect(connect(port)).rejects.toMatchObject({ code: "28P01" });
  await connect(port, { password: "other" });
});

test("an unknown user gets the same salt every time", async () => {
  const { port } = await listen();
  const salts = async (user: string) => {
    const socket = raw(port);
    socket.write(start(3 << 16, `user\0${user}`));
    await socket.until("SCRAM-SHA-256");
    const first = Buffer.from("n,,n=,r=abc");
    socket.write(message("p", Buffer.concat([Buffer.from("SCRAM-SHA-256\0"), int32(first.length), first])));
    await socket.until(",i=");
    return /s=([^,]+),i=4096/.exec(socket.received().toString("latin1"))![1];
  };
  expect(await salts("nobody")).toBe(await salts("nobody"));
  expect(await salts("nobody")).not.toBe(await salts("anybody"));
  expect(await salts("reader")).toBe(await salts("reader"));
});

test("PostgreSQL's own verifiers are understood", async () => {
  // Of the password "pencil" with the salt of RFC 7677, as pg_authid holds it.
  const verifier =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
  const { port } = await listen({ logins: [{ user: "user", verifier }] });
  await connect(port, { user: "user", password: "pencil" });
  await expect(connect(port, { user: "user", password: "pen" })).rejects.toMatchObject({ code: "28P01" });
  await expect(listen({ logins: [{ user: "user", verifier: "md5abc" }] })).rejects.toThrow(
    "not of the form SCRAM-SHA-256$",
  );
});

test("a CancelRequest with the right key ends the statement and nothing else", async () => {
  const { port } = await listen();
  const client = await connect(port);
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  const waiting = client.query("wait");
  waiting.catch(() => undefined);
  const cancel = async (key: number) => {
    const socket = raw(port);
    socket.write(packet(80877102, Buffer.concat([int32(processID), int32(key)])));
    await new Promise((resolve) => socket.on("close", resolve));
  };
  await cancel(secretKey ^ 1);
  await expect(Promise.race([waiting, sleep(50, "still running")])).resolves.toBe("still running");
  await cancel(secretKey);
  await expect(waiting).rejects.toMatchObject({ code: "57014" });
  await cancel(secretKey);
  expect((await client.query("rows 2")).rowCount).toBe(2);
});

test("a statement that takes too long is cancelled", async () => {
  const { port } = await listen({ limits: { ...limits, statement: 50 } });
  const client = await connect(port);
  await expect(client.query("wait")).rejects.toMatchObject({
    code: "57014",
    message: "canceling statement due to statement timeout",
  });
});

test("protocol 3.2 gets a long cancel key, newer versions and unknown options are negotiated", async () => {
  const { port } = await listen();
  const socket = raw(port);
  socket.write(start((3 << 16) | 9999, "user\0reader\0_pq_.new\0on"));
  await socket.until("SCRAM-SHA-256");
  const answer = socket.received();
  expect(answer.subarray(0, 1).toString()).toBe("v");
  expect(answer.readInt32BE(5)).toBe((3 << 16) | 2);
  expect(answer.toString("latin1", 13, 22)).toBe("_pq_.new\0");
});

test("other protocols, missing users and nonsense are refused clearly", async () => {
  const { port } = await listen();
  const answers: [Buffer, string][] = [
    [start(2 << 16, "user\0reader"), "C0A000"],
    [start(3 << 16, "database\0x"), "C28000"],
    [start(3 << 16, "user\0reader\0replication\0true"), "C0A000"],
    [Buffer.from("GET / HTTP/1.1\r\n\r\n"), "C08P01"],
    [Buffer.concat([int32(4), int32(3 << 16)]), "C08P01"],
    [Buffer.concat([int32(12), int32(3 << 16), Buffer.from("user")]), "C08P01"],
  ];
  for (const [bytes, state] of answers) {
    const socket = raw(port);
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.write(bytes);
    await closed;
    expect(socket.received().toString("latin1")).toContain(state);
  }
});

test("requests for encryption are answered with no, and the start goes on", async () => {
  const { port } = await listen();
  const socket = raw(port);
  socket.write(packet(80877104));
  await socket.until("N");
  socket.write(packet(80877103));
  await socket.until("NN");
  socket.write(start(3 << 16, "user\0reader"));
  await socket.until("SCRAM-SHA-256");
});

test("over TLS SCRAM is bound to the certificate", async () => {
  const folder = mkdtempSync(join(tmpdir(), "overcoat-tls-"));
  closing.push(async () => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
    ],
    { stdio: "ignore" },
  );
  const pem = { key: readFileSync(key), cert: readFileSync(cert) };
  const { port } = await listen({ tls: pem });
  const ssl = { ca: pem.cert, servername: "localhost" };
  const client = await connect(port, { ssl, enableChannelBinding: true } as pg.ClientConfig);
  expect((await client.query("rows 100000")).rowCount).toBe(100_000);
  expect(
    (client as unknown as { connection: { stream: { encrypted?: boolean } } }).connection.stream.encrypted,
  ).toBe(true);
  await expect(
    connect(port, { ssl, enableChannelBinding: true, password: "no" } as pg.ClientConfig),
  ).rejects.toMatchObject({ code: "28P01" });
  await connect(port);

  const injected = raw(port);
  injected.write(Buffer.concat([packet(80877103), start(3 << 16, "user\0reader")]));
  await injected.until("unencrypted data");
  const garbage = raw(port);
  garbage.write(packet(80877103));
  await garbage.until("S");
  garbage.write("this is no handshake at all");
  await new Promise((resolve) => garbage.on("close", resolve));
});

test("messages out of bounds end the connection, malformed ones only the statement", async () => {
  const { port } = await listen();
  const send = async (bytes: Buffer): Promise<string> => {
    const client = await connect(port);
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.write(bytes);
    stream.write(message("X", ""));
    await new Promise((resolve) => stream.on("close", resolve));
    return Buffer.concat(chunks).toString("latin1");
  };
  const huge = Buffer.concat([Buffer.from("Q"), int32(2 ** 30)]);
  expect(await send(huge)).toMatch(/SFATAL\0.*C08P01/);
  expect(await send(Buffer.concat([Buffer.from("Q"), int32(-1)]))).toMatch(/SFATAL\0.*C08P01/);
  expect(await send(message("?", "x"))).toMatch(/SFATAL\0.*C08P01/);
  expect(await send(message("Q", "no end"))).toMatch(/SERROR\0.*C08P01/);
  expect(await send(message("Q", Buffer.from([0xff, 0])))).toMatch(/SERROR\0.*C22021/);
  expect(await send(message("D", "Qx\0"))).toMatch(/SERROR\0.*C08P01/);
  expect(await send(message("F", ""))).toMatch(/SERROR\0.*C0A000/);
  const binary = Buffer.concat([Buffer.from("\0\0"), Buffer.from([0, 1, 0, 1, 0, 0, 0, 0])]);
  expect(await send(message("B", binary))).toMatch(/SERROR\0.*C0A000/);
});

test("random bytes before and after the login end no other session", async () => {
  const { port } = await listen();
  const client = await connect(port);
  let seed = 42;
  const random = () => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed;
  };
  const letters = "QPBDECSHXpFdcf?";
  for (let round = 0; round < 150; round++) {
    const bytes = Buffer.from(Array.from({ length: random() % 60 }, () => random() & 0xff));
    const socket = raw(port);
    if (round % 3 === 0) socket.end(bytes);
    else if (round % 3 === 1) socket.end(start(3 << 16, "user\0reader").subarray(0, -(random() % 10)));
    else {
      const fuzzed = await connect(port);
      const { stream } = (fuzzed as unknown as { connection: { stream: Socket } }).connection;
      stream.write(message(letters[random() % letters.length]!, bytes));
      stream.destroy();
    }
    await new Promise((resolve) =>
      socket.writableEnded ? socket.on("close", resolve) : resolve(socket.destroy()),
    );
  }
  expect((await client.query("rows 3")).rowCount).toBe(3);
});

test("a client that does not read is not sent more than its socket holds, and is cut off at last", async () => {
  const { port } = await listen({ limits: { ...limits, stalled: 300 } });
  const client = await connect(port);
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  stream.pause();
  const before = process.memoryUsage().arrayBuffers;
  stream.write(message("Q", "rows 20000000\0"));
  await sleep(200);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
  await sleep(700);
  stream.resume();
  await new Promise((resolve) => stream.on("close", resolve));
});

test("clients that do not log in are cut off", async () => {
  const { port } = await listen({ limits: { ...limits, startup: 100 } });
  const idle = raw(port);
  await new Promise((resolve) => idle.on("close", resolve));
  const half = raw(port);
  half.write(start(3 << 16, "user\0reader").subarray(0, 12));
  await new Promise((resolve) => half.on("close", resolve));
});

test("a thousand clients are served, and one too many is told so", async () => {
  const { port } = await listen({ maxConnections: 1000 });
  const clients: pg.Client[] = [];
  for (let group = 0; group < 20; group++)
    clients.push(...(await Promise.all(Array.from({ length: 50 }, () => connect(port)))));
  const answers = await Promise.all(clients.map((client) => client.query("rows 5")));
  expect(answers.every(({ rowCount }) => rowCount === 5)).toBe(true);
  await expect(connect(port)).rejects.toMatchObject({ code: "53300" });
  await clients[0]!.end();
  await sleep(50);
  await connect(port);
});

test("closing lets a transaction end and tells the clients", async () => {
  const listener = await listen({ graceful: 30_000 });
  const { port } = listener;
  const [idle, busy] = [await connect(port), await connect(port)];
  const told = new Promise<Error>((resolve) => idle.on("error", resolve));
  await busy.query("begin");
  const closed = listener.close();
  expect(await told).toMatchObject({ code: "57P01" });
  expect((await busy.query("rows 2")).rowCount).toBe(2);
  const end = new Promise<Error>((resolve) => busy.on("error", resolve));
  await busy.query("commit");
  expect(await end).toMatchObject({ code: "57P01" });
  await closed;
});

test("closing does not wait for ever", async () => {
  const listener = await listen({ graceful: 50 });
  const client = await connect(listener.port);
  const waiting = client.query("wait");
  waiting.catch(() => undefined);
  await sleep(20);
  await listener.close();
  await expect(waiting).rejects.toMatchObject({ code: "57P01" });
});
