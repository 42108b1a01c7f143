import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";

const largest = 4 << 20;

/** A log of bounded size: a file that is full takes the place of the one before it. */
export interface Log {
  readonly file: string;
  write(chunk: Buffer): void;
  close(): void;
}

/** Opens `folder/log/postgres.log` to append to it; `postgres.log.1` beside it is the one before. */
export function openLog(folder: string): Log {
  const place = join(folder, "log");
  mkdirSync(place, { recursive: true, mode: 0o700 });
  const file = join(place, "postgres.log");
  let fd: number | undefined = openSync(file, "a", 0o600);
  let size = fstatSync(fd).size;
  return {
    file,
    write(chunk) {
      if (fd === undefined) return;
      if (size > 0 && size + chunk.length > largest) {
        closeSync(fd);
        renameSync(file, `${file}.1`);
        fd = openSync(file, "a", 0o600);
        size = 0;
      }
      try {
        size += writeSync(fd, chunk);
      } catch {
        // The disk is full: the server goes on without a log.
      }
    },
    close() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}
