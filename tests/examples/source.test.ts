import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { expect, test } from "vitest";
import { startPostgres } from "../postgres/versions.ts";

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const todos = [
  { id: 1, title: "write a source", done: true, tags: ["sql"] },
  { id: 2, title: "read it", done: false, tags: [] },
  { id: 3, title: "join it", done: false },
];

/** Answers as a service with a list does. */
function startService(requests: string[]) {
  const service = http.createServer(({ url = "", headers }, response) => {
    requests.push(url);
    const id = /^\/todos\/(\d+)$/.exec(url)?.[1];
    const found = url === "/todos" ? todos : todos.find((todo) => String(todo.id) === id);
    response.statusCode = headers.authorization !== "Bearer right" ? 401 : found ? 200 : 404;
    response.end(JSON.stringify(found ?? {}));
  });
  return service.listen(0, "127.0.0.1");
}

test("examples/json-server.ts makes a list behind HTTP a table", async () => {
  const requests: string[] = [];
  const service = startService(requests);
  await once(service, "listening");
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  await using postgres = await startPostgres(18);
  const server = spawn(
    process.execPath,
    [file("examples/json-server.ts"), postgres.url, join(postgres.folder, "scratch")],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const client = new pg.Client(postgres.url);
  try {
    const ended = once(server, "exit").then(() => Promise.reject(new Error("the example has ended")));
    ended.catch(() => undefined);
    await Promise.race([once(server.stdout, "data"), ended]);
    await client.connect();
    const rows = async (sql: string) => (await client.query(sql)).rows;
    await client.query("CREATE EXTENSION IF NOT EXISTS json_wrapper");
    await client.query(`CREATE SERVER todo_server FOREIGN DATA WRAPPER json_fdw OPTIONS (url '${url}')`);
    await client.query("CREATE USER MAPPING FOR PUBLIC SERVER todo_server OPTIONS (token 'right')");
    await client.query(
      "CREATE FOREIGN TABLE todos (id integer, title text, done boolean, tags jsonb) SERVER todo_server OPTIONS (path '/todos')",
    );
    expect(await rows("SELECT * FROM todos ORDER BY id")).toEqual(
      todos.map((todo) => ({ tags: null, ...todo })),
    );
    expect(await rows("SELECT count(*) FILTER (WHERE done)::int AS done FROM todos")).toEqual([{ done: 1 }]);
    requests.length = 0;
    expect(await rows("SELECT title FROM todos WHERE id = 2")).toEqual([{ title: "read it" }]);
    expect(await rows("SELECT title FROM todos WHERE id = 9")).toEqual([]);
    expect(new Set(requests)).toEqual(new Set(["/todos/2", "/todos/9"]));
    await expect(client.query("DELETE FROM todos")).rejects.toThrow(/todos/);
    await expect(
      client.query("CREATE SERVER s FOREIGN DATA WRAPPER json_fdw OPTIONS (uri 'x')"),
    ).rejects.toThrow(/uri/);
    await client.query("ALTER USER MAPPING FOR PUBLIC SERVER todo_server OPTIONS (SET token 'wrong')");
    await expect(client.query("SELECT * FROM todos")).rejects.toThrow("refuses the token");
  } finally {
    await client.end();
    server.kill("SIGTERM");
    service.close();
    service.closeAllConnections();
  }
});

test("docs/writing-a-source.md shows the example's own lines", async () => {
  const text = await readFile(file("docs/writing-a-source.md"), "utf8");
  const sources = await Promise.all(
    ["examples/json-source.ts", "examples/json-server.ts"].map((path) => readFile(file(path), "utf8")),
  );
  const lines = new Set(sources.flatMap((source) => source.split("\n")));
  const shown = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].flatMap(([, block]) => block!.split("\n"));
  expect(shown.length).toBeGreaterThan(50);
  expect(shown.filter((line) => !lines.has(line))).toEqual([]);
});
