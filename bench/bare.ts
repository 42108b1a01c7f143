/**
 * Bare ceilings: the least that Node.js must do for the same work, without S3.
 * `node bare.ts memory|files|write|durable PORT FOLDER`
 */
import { createHash, randomUUID } from "node:crypto";
import fs from "node:fs";
import { open, rename } from "node:fs/promises";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";

const [kind, port, folder = "."] = process.argv.slice(2);
const small = Buffer.alloc(4096, "x");

/** Answers the same bytes from memory. */
function memory(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response.writeHead(200, { "content-type": "binary/octet-stream", "content-length": small.length });
  response.end(small);
}

/** Streams a file of the folder in steps of 1 MiB. */
async function files(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const file = join(folder, (request.url ?? "").split("/").at(-1)!);
  const { size } = fs.statSync(file);
  response.writeHead(200, { "content-type": "binary/octet-stream", "content-length": size });
  await pipeline(fs.createReadStream(file, { highWaterMark: 1 << 20 }), response);
}

/** Hashes what S3 clients want hashed, writes a temporary file, syncs it and renames it. */
async function write(
  request: IncomingMessage,
  response: ServerResponse,
  named: () => Promise<unknown> | undefined = () => undefined,
): Promise<void> {
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  let crc = 0;
  const temporary = join(folder, `tmp-${randomUUID()}`);
  const file = await open(temporary, "wx");
  for await (const chunk of request) {
    md5.update(chunk);
    sha256.update(chunk);
    crc = crc32(chunk, crc);
    await file.write(chunk);
  }
  await file.sync();
  await file.close();
  sha256.digest();
  await rename(temporary, join(folder, (request.url ?? "").split("/").at(-1)!));
  await named();
  response.writeHead(200, { etag: md5.digest("hex"), "x-crc32": crc });
  response.end();
}

let running: Promise<void> | undefined;
let waiting: Promise<void> | undefined;

async function syncFolder(): Promise<void> {
  const opened = await open(folder);
  await opened.sync();
  await opened.close();
}

function begin(): Promise<void> {
  const mine = syncFolder().finally(() => {
    if (running === mine) running = undefined;
  });
  running = mine;
  return mine;
}

/** A sync of the folder that begins after now: one for all that wait. */
function folderSynced(): Promise<void> {
  if (!running) return begin();
  waiting ??= running.then(() => {
    waiting = undefined;
    return begin();
  });
  return waiting;
}

/** The same, with the new name as safe from a loss of power as the bytes. */
const durable = (request: IncomingMessage, response: ServerResponse) =>
  write(request, response, folderSynced);

const handlers = { memory, files, write, durable };
http.createServer(handlers[kind as keyof typeof handlers]).listen(Number(port), "127.0.0.1");
