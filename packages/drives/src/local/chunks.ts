import fs from "node:fs";
import { promisify } from "node:util";

const readAsync = promisify(fs.read);
type Pair = readonly [Buffer, Buffer];

/** Bytes of a step: of the first readers, and of those beyond, who would take much memory together. */
const step = 512 * 1024;
const smallStep = 128 * 1024;
const mostLarge = 8;
/** Kept for the next readers. */
const idle: Pair[] = [];
let made = 0;

/**
 * Bytes `start` to `end` (exclusive) of an open file, one step ahead of who takes them. A chunk is good until
 * the next one is asked for: its buffer is used again.
 * @throws Error when the file is cut short meanwhile
 */
export async function* readChunks(fd: number, start: number, end: number): AsyncGenerator<Buffer> {
  if (end <= start) return;
  const buffers = take();
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
    if (buffers[0].length === step) idle.push(buffers);
  }
}

function take(): Pair {
  const kept = idle.pop();
  if (kept) return kept;
  const size = made < mostLarge ? step : smallStep;
  if (size === step) made++;
  return [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)];
}

async function readInto(fd: number, buffer: Buffer, position: number, end: number): Promise<Buffer> {
  const length = Math.min(buffer.length, end - position);
  const { bytesRead } = await readAsync(fd, buffer, 0, length, position);
  if (bytesRead === 0) throw new Error("The file was cut short while being read");
  return buffer.subarray(0, bytesRead);
}
