import { randomBytes } from "node:crypto";
import { send } from "./load.ts";
import { ask, type RequestShape } from "./requests.ts";
import { startServer } from "./servers.ts";

const clients = 64;
const part = randomBytes(16 * 1024 * 1024);
const parts = 8;

export interface MemoryFigure {
  /** Largest resident set of one process before the uploads, in MiB. */
  readonly before: number;
  /** The same while and after them. */
  readonly peak: number;
}

/** 64 clients upload 128 MiB each, in parts of 16 MiB, at the same time. */
export async function measureMemory(work: string): Promise<MemoryFigure> {
  const server = (await startServer("overcoat --no-fsync", work))!;
  const { port } = server;
  try {
    await send(port, [{ method: "PUT", path: "/uploads" }]);
    const before = server.peakMemory();
    await Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        const path = `/uploads/object-${client}`;
        const created = await ask(port, { method: "POST", path, query: { uploads: "" } });
        const uploadId = /<UploadId>(.*?)<\/UploadId>/.exec(created)![1]!;
        const etags = Array.from({ length: parts }, (_, i) => i + 1);
        const puts = etags.map(
          (number): RequestShape => ({
            method: "PUT",
            path,
            query: { partNumber: String(number), uploadId },
            body: part,
          }),
        );
        await send(port, puts, 1);
        const listed = await ask(port, { method: "GET", path, query: { uploadId } });
        const named = [...listed.matchAll(/<PartNumber>(\d+)<\/PartNumber>.*?<ETag>(.*?)<\/ETag>/g)].map(
          ([, number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`,
        );
        const body = Buffer.from(`<CompleteMultipartUpload>${named.join("")}</CompleteMultipartUpload>`);
        const done = await ask(port, { method: "POST", path, query: { uploadId }, body });
        if (!done.includes("<ETag>")) throw new Error(done);
      }),
    );
    return { before, peak: server.peakMemory() };
  } finally {
    await server.stop();
  }
}
