import { execFileSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Options } from "../source.ts";
import { Node } from "./client/node.ts";
import { redis } from "./index.ts";
import { freePort, type RedisServer, startRedis } from "./server.testing.ts";
import { commit, equals, insert, planOf, rowsOf, tableOf } from "./testing.ts";

const columns = { id: "text", value: "text" };

async function read(options: Options) {
  await using connection = await redis.connect(options);
  return await rowsOf(tableOf(connection, { key_prefix: "a:" }, columns));
}

describe("a server with users", () => {
  let server: RedisServer;
  const password = "pässword/1";

  beforeAll(async () => {
    server = await startRedis({ requirepass: `"${password}"` });
    const client = await server.client({ password });
    await client.set("a:1", "one");
    const acl = (...rules: string[]) => client.sendCommand(["ACL", "SETUSER", ...rules]);
    await acl("reader", "on", ">secret", "~a:*", "+@read", "+ping", "+dbsize", "+select");
    await client.select(3);
    await client.set("a:3", "three");
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test("logs in as url or options say", async () => {
    const host = `127.0.0.1:${server.port}`;
    const one = [["1", "one"]];
    expect(await read({ url: `redis://:${encodeURIComponent(password)}@${host}` })).toEqual(one);
    expect(await read({ url: `redis://${host}`, auth_password: password })).toEqual(one);
    expect(await read({ url: `redis://reader:secret@${host}/0` })).toEqual(one);
    expect(
      await read({ url: `redis://wrong:wrong@${host}`, username: "reader", auth_password: "secret" }),
    ).toEqual(one);
    expect(await read({ url: `redis://${host}/3`, auth_password: password })).toEqual([["3", "three"]]);
    expect(await read({ url: `redis://${host}`, auth_password: password, database: "3" })).toEqual([
      ["3", "three"],
    ]);
  });

  test.each([
    [{ auth_password: "wrong" }, "28P01", /WRONGPASS/, /auth_password/],
    [{ username: "nobody", auth_password: "x" }, "28P01", /WRONGPASS/, /username/],
    [{}, "28000", /NOAUTH/, /auth_password or secret/],
    [{ auth_password: "pässword/1", database: "99" }, "08001", /DB index is out of range/, /databases/],
  ])("a log-in that fails: %j", async (options, sqlState, message, hint) => {
    const error = await redis.connect({ url: server.url, ...options }).catch((reason) => reason);
    expect(error).toMatchObject({
      sqlState,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
    for (const value of ["wrong", "pässword/1"])
      expect(`${error.message} ${error.hint}`).not.toContain(value);
  });

  test("what a user may not do is 42501", async () => {
    await using connection = await redis.connect({
      url: server.url,
      username: "reader",
      auth_password: "secret",
    });
    const table = tableOf(connection, { key_prefix: "b:" }, columns);
    await expect(rowsOf(table, { filters: [equals(0, "1")] })).rejects.toMatchObject({
      sqlState: "42501",
      hint: /ACL SETUSER/,
    });
    const own = tableOf(connection, { key_prefix: "a:" }, columns);
    await expect(commit(connection, insert(own, ["2", "two"]))).rejects.toMatchObject({ sqlState: "42501" });
  });
});

describe("TLS", () => {
  let server: RedisServer;
  let folder: string;
  const pem = (name: string) => fs.readFileSync(join(folder, name), "utf8");

  beforeAll(async () => {
    folder = fs.mkdtempSync(join(os.tmpdir(), "overcoat-redis-tls-"));
    const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
    openssl(
      ..."req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=authority".split(
        " ",
      ),
    );
    for (const name of ["server", "client"]) {
      openssl(
        ..."req -newkey rsa:2048 -nodes".split(" "),
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.csr`,
        "-subj",
        `/CN=${name}`,
      );
      fs.writeFileSync(join(folder, "names"), "subjectAltName=DNS:redis.example,IP:127.0.0.1");
      openssl(
        "x509",
        "-req",
        "-in",
        `${name}.csr`,
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-days",
        "2",
        "-extfile",
        "names",
        "-out",
        `${name}.pem`,
      );
    }
    const port = await freePort();
    server = await startRedis(
      {
        port: "0",
        "tls-port": String(port),
        "tls-cert-file": join(folder, "server.pem"),
        "tls-key-file": join(folder, "server.key"),
        "tls-ca-cert-file": join(folder, "ca.pem"),
      },
      { port },
    );
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    fs.rmSync(folder, { recursive: true });
  });

  test("with certificates", async () => {
    const client = { client_certificate: pem("client.pem"), client_key: pem("client.key") };
    const url = `rediss://127.0.0.1:${server.port}`;
    expect(await read({ url, ca: pem("ca.pem"), ...client })).toEqual([]);
    expect(await read({ url, ca: pem("ca.pem"), tls_server_name: "redis.example", ...client })).toEqual([]);
    await expect(read({ url, ...client })).rejects.toMatchObject({ sqlState: "08001", hint: /ca/ });
    await expect(
      read({ url, ca: pem("ca.pem"), tls_server_name: "other.example", ...client }),
    ).rejects.toMatchObject({ sqlState: "08001", hint: /tls_server_name/ });
    // The server asks for a certificate, or is spoken to without TLS.
    await expect(read({ url, ca: pem("ca.pem"), timeout: "5" })).rejects.toMatchObject({ sqlState: /^08/ });
    await expect(read({ url: `redis://127.0.0.1:${server.port}`, timeout: "5" })).rejects.toMatchObject({
      sqlState: "08001",
      hint: /rediss/,
    });
  });
});

describe("trouble", () => {
  test("nobody listens", async () => {
    const port = await freePort();
    await expect(read({ url: `redis://127.0.0.1:${port}` })).rejects.toMatchObject({
      sqlState: "08001",
      message: expect.stringContaining(`127.0.0.1:${port}: connect ECONNREFUSED`),
      hint: /Check that Redis listens/,
    });
    await expect(read({ url: "redis://no-such-host.invalid" })).rejects.toMatchObject({
      sqlState: "08001",
      hint: /host's name/,
    });
  });

  test("a server that accepts and says nothing, and one that speaks otherwise", async () => {
    for (const answer of [undefined, "HTTP/1.1 400 Bad Request\r\n\r\n"]) {
      const sockets: net.Socket[] = [];
      const silent = net.createServer((socket) => {
        sockets.push(socket);
        socket.on("error", () => undefined);
        if (answer) socket.end(answer);
      });
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
      const { port } = silent.address() as net.AddressInfo;
      await expect(read({ url: `redis://127.0.0.1:${port}`, timeout: "0.5" })).rejects.toMatchObject({
        sqlState: /^08/,
      });
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });

  test("a server that hangs is 08006 in time, and the next statement works when it is back", async () => {
    await using server = await startRedis();
    await using connection = await redis.connect({ url: server.url, timeout: "0.5" });
    const table = tableOf(connection, { key_prefix: "a:" }, columns);
    expect(await rowsOf(table)).toEqual([]);
    server.process.kill("SIGSTOP");
    await expect(rowsOf(table)).rejects.toMatchObject({ sqlState: "08006", hint: /timeout/ });
    await expect(rowsOf(table)).rejects.toMatchObject({ sqlState: /^08/ });
    server.process.kill("SIGCONT");
    await expect.poll(() => rowsOf(table).catch((error) => error), { timeout: 10_000 }).toEqual([]);
  });

  test("a server that dies is 08006, then 08001, and is found again", async () => {
    const server = await startRedis();
    await using connection = await redis.connect({ url: server.url });
    const table = tableOf(connection, { key_prefix: "a:" }, columns);
    const client = await server.client();
    await client.mSet(Array.from({ length: 50_000 }, (_, index) => [`a:${index}`, "1"] as [string, string]));
    const scan = (await planOf(table)).scan(AbortSignal.timeout(10_000))[Symbol.asyncIterator]();
    await scan.next();
    await server[Symbol.asyncDispose]();
    const drained = (async () => {
      while (!(await scan.next()).done);
    })();
    await expect(drained).rejects.toMatchObject({ sqlState: /^080(06|01)$/ });
    await expect(rowsOf(table)).rejects.toMatchObject({ sqlState: "08001" });
    await using again = await startRedis({}, { port: server.port });
    expect(again.port).toBe(server.port);
    expect(await rowsOf(table)).toEqual([]);
  });

  test("a transaction does not go on upon another connection, which would not know what is watched", async () => {
    await using server = await startRedis();
    const client = await server.client();
    const node = new Node(() => ({ host: "127.0.0.1", port: server.port }), { timeout: 5000 });
    const run = node.pinned();
    expect(await run([["WATCH", "a"]])).toEqual(["OK"]);
    await client.sendCommand(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    await expect.poll(() => run([["PING"]]).catch((error) => error.sqlState)).toBe("08006");
    expect(await node.run([["PING"]])).toEqual(["PONG"]);
    await expect(run([["PING"]])).rejects.toMatchObject({ sqlState: "08006" });
    node.close();
  });

  test("an aborted signal stops at once", async () => {
    await using server = await startRedis();
    await using connection = await redis.connect({ url: server.url });
    const table = tableOf(connection, { key_prefix: "a:" }, columns);
    await rowsOf(table);
    server.process.kill("SIGSTOP");
    const reason = new Error("cancelled");
    const controller = new AbortController();
    const rows = rowsOf(table, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 100);
    const start = performance.now();
    await expect(rows).rejects.toBe(reason);
    expect(performance.now() - start).toBeLessThan(3000);
    await expect(rowsOf(table, { signal: controller.signal })).rejects.toBe(reason);
    server.process.kill("SIGCONT");
    expect(await rowsOf(table)).toEqual([]);
  });

  test("a server without memory", async () => {
    await using server = await startRedis({ maxmemory: "1" });
    await using connection = await redis.connect({ url: server.url });
    const table = tableOf(connection, { key_prefix: "a:" }, columns);
    await expect(commit(connection, insert(table, ["1", "x"]))).rejects.toMatchObject({ sqlState: "53200" });
    await expect(commit(connection, insert(table, ["1", "x"]))).rejects.toMatchObject({ hint: /maxmemory/ });
  });

  test("a replica takes no writes", async () => {
    await using master = await startRedis();
    await using replica = await startRedis({ replicaof: `127.0.0.1 ${master.port}` });
    await using connection = await redis.connect({ url: replica.url });
    const table = tableOf(connection, { key_prefix: "a:" }, columns);
    await expect(commit(connection, insert(table, ["1", "x"]))).rejects.toMatchObject({
      sqlState: "25006",
      hint: /replica/,
    });
  });
});

test.each([
  [{}, "HV00B", /"url" is missing/],
  [{ url: "http://127.0.0.1" }, "HV024", /redis:\/\//],
  [{ url: "redis://127.0.0.1:99999" }, "HV024", /host:port/],
  [{ url: "redis://127.0.0.1:1,127.0.0.1:2" }, "HV024", /cluster/],
  [{ url: "redis://127.0.0.1/x" }, "HV024", /"url"/],
  [{ url: "redis://u:100%@h" }, "HV024", /%25/],
  [{ url: "redis://h", cluster: "maybe" }, "HV024", /neither true nor false/],
  [{ url: "redis://h", cluster: "true", database: "1" }, "HV024", /database 0/],
  [{ url: "redis://h", cluster: "true", sentinels: "h:1" }, "HV024", /Sentinels/],
  [{ url: "redis://h", timeout: "-1" }, "HV024", /seconds/],
  [{ url: "redis://h", database: "x" }, "HV024", /whole number/],
])("options that cannot be: %j", (options, sqlState, message) => {
  expect(() => redis.addresses(options as never)).toThrow(
    expect.objectContaining({ sqlState, message: expect.stringMatching(message) }),
  );
});

test("addresses", () => {
  expect(redis.addresses({ url: "redis://user:p%40ss@h:1/2" })).toEqual(["h:1"]);
  expect(redis.addresses({ url: "rediss://[::1]" })).toEqual(["[::1]:6379"]);
  expect(redis.addresses({ url: "redis://a,b:2", cluster: "true" })).toEqual(["a:6379", "b:2"]);
  expect(redis.addresses({ sentinels: "a, b:2" })).toEqual(["a:26379", "b:2"]);
});
