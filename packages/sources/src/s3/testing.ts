import { mkdir, mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localDrive } from "@overcoat/drives";
import { type Objects, openObjects } from "@overcoat/objects";
import { createS3Server } from "@overcoat/s3";
import type { Connection, Filter, Options, Query, Row, SortKey, TableDefinition } from "../source.ts";
import { s3 } from "./index.ts";

/** The S3 gateway on a folder of its own, for tests. */
export interface TestGateway extends AsyncDisposable {
  readonly endpoint: string;
  readonly objects: Objects;
  /** `ListObjectsV2 /bucket` of each request so far; a test may empty it. */
  readonly requests: string[];
  /** Connects with the gateway's keys, or with others. */
  connect(options?: Options): Promise<Connection>;
}

const keys = { access_key_id: "test-access", secret_access_key: "test-secret" };

export async function openTestGateway(): Promise<TestGateway> {
  const work = await mkdtemp(join(tmpdir(), "overcoat-s3-source-"));
  await mkdir(join(work, "drive"));
  const objects = await openObjects({
    drive: localDrive(join(work, "drive"), { fsync: false }),
    data: join(work, "data"),
  });
  const requests: string[] = [];
  const server = createS3Server({
    objects,
    region: "us-east-1",
    credentials: [{ accessKeyId: keys.access_key_id, secretAccessKey: keys.secret_access_key }],
    v2Auth: false,
    domains: [],
    readOnly: false,
    responseHeaders: [],
    log: (entry) => {
      const { operation, path } = entry as { operation?: string; path?: string };
      if (operation) requests.push(`${operation} ${path}`);
    },
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  const endpoint = `http://127.0.0.1:${port}`;
  const open: Connection[] = [];
  return {
    endpoint,
    objects,
    requests,
    async connect(options = {}) {
      const connection = await s3.connect({ endpoint, ...keys, ...options });
      open.push(connection);
      return connection;
    },
    async [Symbol.asyncDispose]() {
      for (const connection of open) await connection[Symbol.asyncDispose]();
      await server.close(0);
      await objects.close();
      await rm(work, { recursive: true, force: true });
    },
  };
}

/** A definition from `"filename text, size bigint"`. */
export function define(columns: string, options: Options = {}): TableDefinition {
  return {
    name: "t",
    options,
    columns: columns.split(/,\s*/).map((column) => {
      const [name, ...type] = column.split(" ");
      return { name: name!, type: type.join(" "), options: {} };
    }),
  };
}

export interface Asked {
  readonly columns?: readonly number[];
  readonly filters?: readonly Filter[];
  readonly sort?: readonly SortKey[];
  readonly limit?: number;
  readonly identity?: boolean;
}

/** What a table answers to a query: all columns unless told otherwise. */
export async function read(connection: Connection, definition: TableDefinition, asked: Asked = {}) {
  const query: Query = {
    columns: definition.columns.map((_, i) => i),
    identity: false,
    filters: [],
    sort: [],
    ...asked,
  };
  const plan = await connection.table(definition).plan(query);
  const rows: Row[] = [];
  for await (const batch of plan.scan(new AbortController().signal)) rows.push(...batch);
  return { plan, rows };
}

/** A proxy in which a test can break answers, or give its own: a status and a body. */
export async function proxy(
  target: string,
  meddle: (
    request: http.IncomingMessage,
    response: http.ServerResponse,
    // biome-ignore lint/suspicious/noConfusingVoidType: most give none.
  ) => readonly [status: number, body: string] | void,
) {
  const server = http.createServer((request, response) => {
    const own = meddle(request, response);
    if (own) return void response.writeHead(own[0], { "content-type": "application/xml" }).end(own[1]);
    const { method, headers, url } = request;
    const onward = http.request(`${target}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.on("data", (chunk) => response.write(chunk));
      answer.on("end", () => response.end());
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    // The Host header is signed, so it passes as it is.
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
