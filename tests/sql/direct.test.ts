import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { SqlError } from "@overcoat/sources";
import {
  type LinkedServer,
  type LinkedTable,
  openSqlServer,
  type SqlServer,
  type SqlServerOptions,
} from "@overcoat/sql";
import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type MemoryService, memoryService, memorySource } from "./memory-source.ts";

/** Clients that speak to the SQL server itself, without a PostgreSQL between. */

const login = { user: "overcoat", password: "sesame" };
let server: SqlServer;
let service: MemoryService;
let clients: pg.Client[];

beforeEach(async () => {
  clients = [];
  service = memoryService();
  server = await open();
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  await server.close();
});

function open(options: Partial<SqlServerOptions> = {}): Promise<SqlServer> {
  return openSqlServer({
    listen: [{ host: "127.0.0.1", port: 0 }],
    logins: [login],
    sources: [memorySource(service)],
    secrets: () => undefined,
    scratch: { session: () => Promise.reject(new SqlError("0A000", "no scratch database in this test")) },
    log: () => undefined,
    ...options,
  });
}

async function connect(serverOptions: Record<string, string> | "none" = { address: "127.0.0.1:1" }) {
  const link: LinkedServer | false = serverOptions !== "none" && {
    wrapper: "memory_fdw",
    server: "memory",
    options: serverOptions,
  };
  const client = new pg.Client({
    host: "127.0.0.1",
    port: server.addresses[0]!.port,
    ...login,
    database: "any",
    ...(link && { options: `-c overcoat.link=${JSON.stringify(link).replace(/[\\\s]/g, "\\$&")}` }),
  });
  client.on("error", () => undefined);
  clients.push(client);
  await client.connect();
  return client;
}

/** A table's name in statements, of a table of two columns that the service is filled with. */
function things(count: number, options: Record<string, string> = {}): string {
  service.tables.set(
    "things",
    new Map(Array.from({ length: count }, (_, i): [string, string[]] => [`k${i}`, [`k${i}`, String(i)]])),
  );
  const table: LinkedTable = {
    table: "things",
    options,
    columns: [
      ["id", "text"],
      ["n", "integer"],
    ],
  };
  return `overcoat."${JSON.stringify(table).replaceAll('"', '""')}"`;
}

const begin = "START TRANSACTION ISOLATION LEVEL REPEATABLE READ";

test("prepared statements, portals that are taken in parts, and types", async () => {
  const client = await connect();
  const name = things(250);
  const one = { name: "one", text: `SELECT id, n FROM ${name} WHERE ((id = $1::text))` };
  expect((await client.query({ ...one, values: ["k3"] })).rows).toEqual([{ id: "k3", n: 3 }]);
  expect((await client.query({ ...one, values: ["k4"] })).rows).toEqual([{ id: "k4", n: 4 }]);
  const all = { text: `SELECT n FROM ${name}`, values: [], rows: 7 };
  expect((await client.query(all)).rows).toHaveLength(250);
  expect((await client.query("")).rows).toEqual([]);
  await client.query("DEALLOCATE one");
  await expect(client.query("DEALLOCATE one")).rejects.toMatchObject({ code: "26000" });
});

test("outside of a transaction block each statement is one of its own", async () => {
  const client = await connect();
  const name = things(1);
  const insert = `INSERT INTO ${name}(id, n) VALUES ($1, $2)`;
  expect((await client.query(insert, ["a", "1"])).rowCount).toBe(1);
  expect([...service.tables.get("things")!.keys()]).toEqual(["k0", "a"]);
  await expect(client.query(insert, ["a", "1"])).rejects.toMatchObject({ code: "23505" });
  await expect(client.query(`DECLARE c1 CURSOR FOR SELECT id FROM ${name}`)).rejects.toMatchObject({
    code: "25P01",
  });
  await expect(client.query("FETCH 1 FROM c1")).rejects.toMatchObject({ code: "34000" });
  await expect(client.query("SAVEPOINT s2")).rejects.toMatchObject({ code: "25P01" });
});

test("a failed block refuses all until it ends or goes back to a savepoint", async () => {
  const client = await connect();
  const name = things(3);
  await client.query(begin);
  await client.query(`DECLARE c1 CURSOR FOR SELECT id FROM ${name}`);
  expect((await client.query("FETCH 1 FROM c1")).rows).toEqual([{ id: "k0" }]);
  await client.query("SAVEPOINT s2");
  await client.query(`DECLARE c2 CURSOR FOR SELECT id FROM ${name}`);
  await expect(client.query("FETCH 1 FROM c3")).rejects.toMatchObject({ code: "34000" });
  await expect(client.query("FETCH 1 FROM c1")).rejects.toMatchObject({ code: "25P02" });
  await client.query("ROLLBACK TO SAVEPOINT s2; RELEASE SAVEPOINT s2");
  expect((await client.query("FETCH 5 FROM c1")).rows).toEqual([{ id: "k1" }, { id: "k2" }]);
  await expect(client.query("FETCH 1 FROM c2")).rejects.toMatchObject({ code: "34000" });
  const { command } = await client.query("COMMIT TRANSACTION");
  expect(command).toBe("ROLLBACK");
});

test("MOVE BACKWARD ALL reads again what the cursor saw at first", async () => {
  const client = await connect();
  const name = things(3);
  await client.query(begin);
  await client.query(`DECLARE c1 CURSOR FOR SELECT id FROM ${name}`);
  expect((await client.query("FETCH 100 FROM c1")).rows).toHaveLength(3);
  expect((await client.query("FETCH 100 FROM c1")).rows).toHaveLength(0);
  await client.query(`INSERT INTO ${name}(id, n) VALUES ($1, $2)`, ["a", "1"]);
  await client.query("MOVE BACKWARD ALL IN c1");
  expect((await client.query("FETCH 100 FROM c1")).rows).toHaveLength(3);
  await client.query("CLOSE c1");
  await client.query("ABORT TRANSACTION");
});

test("what a statement of the explain option would ask is read as rows", async () => {
  const client = await connect();
  const statement = `SELECT id FROM ${things(3)} WHERE ((id = 'k1'))`;
  const table: LinkedTable = { table: "x", options: { explain: statement }, columns: [["request", "text"]] };
  const name = `overcoat."${JSON.stringify(table).replaceAll('"', '""')}"`;
  expect((await client.query(`SELECT request FROM ${name}`)).rows).toEqual([{ request: "get things k1" }]);
  expect(service.requests).toEqual([]);
});

test("errors say what to do: no server, a wrong one, a table that is none, other SQL, binary values", async () => {
  const [client, bare] = [await connect(), await connect("none")];
  const name = things(1);
  const answers: [() => Promise<unknown>, object][] = [
    [
      () => bare.query(`SELECT id FROM ${name}`),
      { code: "HV00N", hint: expect.stringContaining("connect to the database") },
    ],
    [
      () => client.query('SELECT id FROM overcoat."x"'),
      { code: "42P01", hint: expect.stringContaining("relink") },
    ],
    [
      () => client.query("SELECT id FROM memory.nothing"),
      { code: "42P01", hint: expect.stringContaining("IMPORT") },
    ],
    [() => client.query("CREATE TABLE x ()"), { code: expect.stringMatching(/^(?:42601|0A000|42501)$/) }],
    [() => client.query("SELECT"), { code: expect.stringMatching(/^(?:42601|0A000|42501)$/) }],
    [
      () => client.query(`SELECT id FROM ${name} WHERE ((id = $1::text))`, [Buffer.from("x")]),
      { code: "0A000" },
    ],
    [() => client.query("SET work_mem = 1"), { code: "42704" }],
  ];
  for (const [statement, error] of answers) await expect(statement()).rejects.toMatchObject(error);
  expect((await client.query(`SELECT id FROM ${name}`)).rows).toEqual([{ id: "k0" }]);
  const refused = await connect({ address: "127.0.0.1:1", token: "wrong" });
  await expect(refused.query(`SELECT id FROM ${name}`)).rejects.toMatchObject({ code: "28000" });
});

test("secrets that a service lets slip into an error are masked for the client and in the log", async () => {
  const entries: object[] = [];
  await server.close();
  server = await open({ log: (entry) => entries.push(entry) });
  const client = await connect({ address: "127.0.0.1:1", token: "my secret token" });
  const name = things(1);
  const insert = () => client.query(`INSERT INTO ${name}(id, n) VALUES ($1, $2)`, ["a", "1"]);
  const text = "refused: my secret token";
  service.failure = { after: 0, error: new SqlError("28000", text, { detail: text, hint: text }) };
  await expect(insert()).rejects.toMatchObject({
    code: "28000",
    message: "refused: ***",
    detail: "refused: ***",
  });
  service.failure = { after: 0, error: new TypeError(text) };
  await expect(insert()).rejects.toMatchObject({
    code: "XX000",
    message: "internal error of the SQL server",
  });
  expect(JSON.stringify(entries)).toContain("refused: ***");
  expect(JSON.stringify(entries)).not.toContain("my secret token");
});

test("wherever a service does not answer, the statement can be cancelled and the session goes on", async () => {
  const client = await connect();
  const name = things(1);
  const cancel = async () => {
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    const request = Buffer.alloc(16);
    for (const [index, value] of [16, 80877102, processID, secretKey].entries())
      request.writeInt32BE(value, 4 * index);
    const socket = createConnection(server.addresses[0]!.port, "127.0.0.1");
    socket.end(request);
    await once(socket, "close");
  };
  const cancelled = async (phase: MemoryService["hangs"], statement: () => Promise<unknown>) => {
    service.hangs = phase;
    const running = statement();
    running.catch(() => undefined);
    await sleep(50);
    await cancel();
    await expect(running).rejects.toMatchObject({ code: "57014" });
    service.hangs = undefined;
    await client.query("ABORT TRANSACTION");
  };
  const insert = () => client.query(`INSERT INTO ${name}(id, n) VALUES ($1, $2)`, ["a", "1"]);
  await cancelled("connect", () => client.query(`SELECT id FROM ${name}`));
  await client.query(begin);
  await cancelled("plan", () => client.query(`DECLARE c1 CURSOR FOR SELECT id FROM ${name}`));
  service.hangs = "scan";
  await client.query(begin);
  await client.query(`DECLARE c1 CURSOR FOR SELECT id FROM ${name}`);
  await cancelled("scan", () => client.query("FETCH 100 FROM c1"));
  expect(service.signals.at(-1)!.aborted).toBe(true);
  await client.query(begin);
  await cancelled("exist", insert);
  expect((await client.query(`SELECT id FROM ${name}`)).rows).toEqual([{ id: "k0" }]);
  expect(service.commits).toEqual([]);
});

test("a statement that takes too long is given up, and a commit that does not answer is told to be uncertain", async () => {
  await server.close();
  server = await open({ statementTimeout: 100, commitTimeout: 100 });
  const client = await connect();
  const name = things(1);
  service.hangs = "scan";
  await expect(client.query(`SELECT id FROM ${name}`)).rejects.toMatchObject({ code: "57014" });
  service.hangs = undefined;
  await client.query(begin);
  await client.query(`INSERT INTO ${name}(id, n) VALUES ($1, $2)`, ["a", "1"]);
  service.hangs = "commit";
  await expect(client.query("COMMIT TRANSACTION")).rejects.toMatchObject({ code: "40003" });
  service.hangs = undefined;
  expect((await client.query(`SELECT id FROM ${name}`)).rows).toHaveLength(1);
});

test("a client that goes away in the middle stops what was asked for it and leaves no writes", async () => {
  const client = await connect();
  const name = things(100_000);
  service.delay = 5;
  await client.query(begin);
  await client.query(`INSERT INTO ${name}(id, n) VALUES ($1, $2)`, ["a", "1"]);
  const reading = client.query(`SELECT id FROM ${name}`);
  reading.catch(() => undefined);
  await sleep(100);
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  while (!service.signals.at(-1)!.aborted) await sleep(10);
  expect(service.commits).toEqual([]);
});

test("a commit goes on when its client goes away, also while the server closes", async () => {
  const client = await connect();
  const name = things(0);
  await client.query(begin);
  const rows = Array.from({ length: 20 }, (_, index) => `($${2 * index + 1}, $${2 * index + 2})`).join(", ");
  const values = Array.from({ length: 40 }, (_, index) => String(index));
  for (let batch = 0; batch < 600; batch++)
    await client.query({
      name: "insert",
      text: `INSERT INTO ${name}(id, n) VALUES ${rows}`,
      values: values.map((value, index) => (index % 2 ? value : `${batch}-${value}`)),
    });
  service.delay = 200;
  client.query("COMMIT TRANSACTION").catch(() => undefined);
  await sleep(20);
  (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
  await sleep(50);
  await server.close();
  expect(service.tables.get("things")!.size).toBe(12_000);
});

test("a large result is sent as it is taken", async () => {
  const client = await connect();
  const name = things(300_000);
  const before = process.memoryUsage().arrayBuffers;
  const { stream } = (client as unknown as { connection: { stream: { pause(): void; resume(): void } } })
    .connection;
  const reading = client.query({ text: `SELECT id, n FROM ${name}`, rowMode: "array" });
  stream.pause();
  await sleep(300);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
  stream.resume();
  const { rows } = await reading;
  expect(rows).toHaveLength(300_000);
  expect(rows.at(-1)).toEqual(["k299999", 299_999]);
});

test("closing waits for a transaction, and what it wrote is committed", async () => {
  const client = await connect();
  const name = things(0);
  await client.query(begin);
  await client.query(`INSERT INTO ${name}(id, n) VALUES ($1, $2)`, ["a", "1"]);
  const closed = server.close();
  await client.query("COMMIT TRANSACTION");
  await closed;
  expect(service.tables.get("things")!.size).toBe(1);
  expect(service.connections).toBe(0);
});

test("messages in any order and statements in any state end no session but their own", async () => {
  const entries: object[] = [];
  await server.close();
  server = await open({ log: (entry) => entries.push(entry) });
  const name = things(300);
  const statements = [
    begin,
    "COMMIT TRANSACTION",
    "ABORT TRANSACTION",
    "SAVEPOINT s2",
    "ROLLBACK TO SAVEPOINT s2; RELEASE SAVEPOINT s2",
    `DECLARE c1 CURSOR FOR SELECT id, n FROM ${name}`,
    `DECLARE c2 CURSOR FOR SELECT id, ctid FROM ${name} WHERE ((n > 5)) FOR UPDATE`,
    "FETCH 7 FROM c1",
    "FETCH 1000 FROM c2",
    "MOVE BACKWARD ALL IN c1",
    "CLOSE c1",
    "CLOSE c2",
    `INSERT INTO ${name}(id, n) VALUES ($1, $2)`,
    `UPDATE ${name} SET n = $2 WHERE ctid = $1`,
    `DELETE FROM ${name} WHERE ctid = $1 RETURNING id, n`,
    `UPDATE ${name} SET n = 4 WHERE ((id = 'k4'))`,
    `DELETE FROM ${name} WHERE ((n < 3)) RETURNING id`,
    `TRUNCATE ${name} CONTINUE IDENTITY RESTRICT`,
    `EXPLAIN SELECT id FROM ${name}`,
    "DEALLOCATE ALL",
    "SET search_path = pg_catalog",
    "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'memory'",
    "nonsense",
    "",
  ];
  const int16 = (value: number) => Buffer.from([value >> 8, value & 0xff]);
  const message = (type: string, ...parts: (string | Buffer)[]) => {
    const body = Buffer.concat(
      parts.map((part) => (typeof part === "string" ? Buffer.from(`${part}\0`) : part)),
    );
    const length = Buffer.alloc(4);
    length.writeInt32BE(4 + body.length);
    return Buffer.concat([Buffer.from(type), length, body]);
  };
  let seed = 7;
  const pick = <T>(choices: readonly T[]): T => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return choices[(seed >> 8) % choices.length]!;
  };
  const value = (text: string | null) => {
    const bytes = Buffer.from(text ?? "");
    const length = Buffer.alloc(4);
    length.writeInt32BE(text === null ? -1 : bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const named = () => pick(["", "a", "b"]);
  const messages: (() => Buffer)[] = [
    () => message("Q", pick(statements)),
    () => message("P", named(), pick(statements), int16(0)),
    () =>
      message(
        "B",
        named(),
        named(),
        int16(0),
        int16(2),
        value(pick(["k1", "(1,1)", null])),
        value(pick(["1", null])),
        int16(0),
      ),
    () => message("D", Buffer.from(pick(["S", "P"])), named()),
    () => message("E", named(), Buffer.from([0, 0, 0, pick([0, 1, 5])])),
    () => message("C", Buffer.from(pick(["S", "P"])), named()),
    () => message("S"),
    () => message("H"),
  ];
  for (let round = 0; round < 60; round++) {
    const client = await connect();
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    stream.removeAllListeners("data");
    stream.resume();
    for (let count = 0; count < 60; count++) stream.write(pick(messages)());
    if (round % 3 === 0) stream.destroy();
    else stream.end(Buffer.concat([message("S"), message("X")]));
    await once(stream, "close");
  }
  expect(entries).toEqual([]);
  things(2);
  const client = await connect();
  expect((await client.query(`SELECT id FROM ${name}`)).rows).toHaveLength(2);
});
