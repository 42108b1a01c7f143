import fs from "node:fs";
import { promisify } from "node:util";

const readAsync = promisify(fs.read);
const chunkSize = 256 * 1024;
/** Buffers kept for the next reader. */
const mostIdle = 16;
const idle: Buffer[] = [];

/**
 * Bytes `start` to `end` (exclusive) of an open file, one step ahead of who takes them. A chunk is good until
 * the next one is asked for: its buffer is used again.
 * @throws Error when the file is cut short meanwhile
 */
export async function* readChunks(fd: number, start: number, end: number): AsyncGenerator<Buffer> {
  if (end <= start) return;
  const buffers = [take(), take()] as const;
  let reading = readInto(fd, buffers[0], start, end);
  try {
    for (let position = start, turn = 0; position < end; turn ^= 1) {
      const chunk = await reading;
      position += chunk.length;
      if (position < end) reading = readInto(fd, buffers[turn ? 0 : 1], position, end);
      yield chunk;
    }
  } finally {
    await reading.catch(() => undefined);
    for (const buffer of buffers) if (idle.length < mostIdle) idle.push(buffer);
  }
}

const take = () => idle.pop() ?? Buffer.allocUnsafeSlow(chunkSize);

async function readInto(fd: number, buffer: Buffer, position: number, end: number): Promise<Buffer> {
  const length = Math.min(buffer.length, end - position);
  const { bytesRead } = await readAsync(fd, buffer, 0, length, position);
  if (bytesRead === 0) throw new Error("The file was cut short while being read");
  return buffer.subarray(0, bytesRead);
}
