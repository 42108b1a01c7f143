import { PassThrough, pipeline, Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import bunzip2 from "unbzip2-stream";
import xzDecompress from "xz-decompress";
import { SqlError } from "../../error.ts";

export const compressions = ["none", "gzip", "zlib", "zstd", "bzip2", "xz", "brotli"] as const;
export type Compression = (typeof compressions)[number];

const endings: Readonly<Record<string, Compression>> = {
  gz: "gzip",
  gzip: "gzip",
  zz: "zlib",
  zlib: "zlib",
  zst: "zstd",
  zstd: "zstd",
  bz2: "bzip2",
  xz: "xz",
  br: "brotli",
};

/** What the end of a file's name says. */
export const compressionOf = (key: string): Compression =>
  endings[/\.([a-z0-9]+)$/i.exec(key)?.[1]?.toLowerCase() ?? ""] ?? "none";

const chunkSize = 256 * 1024;

type Decoder = (source: Readable) => Readable;

const ignore = () => {};

/** Decompressors of which an error of the source comes out where they are read. */
const decoders: Readonly<Record<Exclude<Compression, "none">, Decoder>> = {
  gzip: (source) => pipeline(source, createGunzip({ chunkSize }), ignore),
  zlib: (source) => pipeline(source, createInflate({ chunkSize }), ignore),
  brotli: (source) => pipeline(source, createBrotliDecompress({ chunkSize }), ignore),
  bzip2: (source) => pipeline(source, bunzip2(), new PassThrough(), ignore),
  xz: (source) => Readable.fromWeb(new xzDecompress.XzReadableStream(Readable.toWeb(source)) as never),
  zstd: (source) => Readable.from(decodeFrames(source)),
};

/** Zstandard frames one after the other, of which a stream of Node.js decodes no more than the first. */
async function* decodeFrames(source: Readable): AsyncGenerator<Buffer> {
  const chunks: AsyncIterator<Buffer, undefined> = source[Symbol.asyncIterator]();
  let rest = (await chunks.next()).value;
  while (rest) {
    const stream = createZstdDecompress({ chunkSize });
    const feed = async () => {
      while (rest) {
        const before = stream.bytesWritten;
        await new Promise<void>((resolve, reject) => {
          stream.write(rest, (error) => (error ? reject(error) : resolve()));
        });
        const taken = stream.bytesWritten - before;
        // The stream ends itself where a frame does in the middle of a chunk.
        if (taken < rest.length) {
          rest = rest.subarray(taken);
          return;
        }
        rest = (await chunks.next()).value;
      }
      stream.end();
    };
    const feeding = feed();
    feeding.catch((error) => stream.destroy(error));
    yield* stream;
    await feeding;
  }
}

/**
 * The bytes behind the compression. `name` is the object's, for messages.
 * @throws SqlError 22P04 for what is not so compressed, or cut short
 */
export async function* decompress(
  chunks: AsyncIterable<Buffer>,
  compression: Compression,
  name: string,
): AsyncGenerator<Buffer> {
  if (compression === "none") return yield* chunks;
  let sourceError: unknown;
  const source = Readable.from(
    keepError(chunks, (error) => {
      sourceError = error;
    }),
  );
  const stream = decoders[compression](source);
  try {
    yield* stream as AsyncIterable<Buffer>;
  } catch (error) {
    if (sourceError) throw sourceError;
    throw new SqlError("22P04", `the object is damaged, or not compressed by ${compression}`, {
      detail: `${name}: ${(error as Error).message}`,
      hint: "see the option compress",
    });
  } finally {
    stream.destroy();
    source.destroy();
  }
}

/** Decompressing may hide why its source ended. */
async function* keepError<Chunk>(
  chunks: AsyncIterable<Chunk>,
  keep: (error: unknown) => void,
): AsyncGenerator<Chunk> {
  try {
    yield* chunks;
  } catch (error) {
    keep(error);
    throw error;
  }
}
