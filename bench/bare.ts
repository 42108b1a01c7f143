/**
 * Bare ceilings: the least that Node.js must do for the same work, without S3.
 * `node bare.ts memory|files|write PORT FOLDER`
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
async function write(request: IncomingMessage, response: ServerResponse): Promise<void> {
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
  response.writeHead(200, { etag: md5.digest("hex"), "x-crc32": crc });
  response.end();
}

const handlers = { memory, files, write };
http.createServer(handlers[kind as keyof typeof handlers]).listen(Number(port), "127.0.0.1");
