import { closeSync, fstatSync, openSync, writeSync } from "node:fs";
import koffi from "koffi";

const size = 4;
// PROT_READ | PROT_WRITE, MAP_SHARED and MAP_FAILED of mmap(2), the same on Linux and macOS.
const readWrite = 3;
const shared = 1;
const failed = 2n ** 64n - 1n;

const system = process.platform === "win32" ? undefined : koffi.load(null);
const mmap = system?.func("void *mmap(void *, size_t, int protection, int flags, int fd, int64_t offset)");
const munmap = system?.func("int munmap(void *, size_t)");

/** A number that all processes share which have opened the same file; to look at it costs no system call. */
export class SharedCounter {
  readonly #memory: bigint;
  #numbers: Int32Array | undefined;

  /** @throws Error when the file cannot be shared */
  constructor(file: string) {
    if (!mmap) throw new Error(`Shared memory is not known of ${process.platform}`);
    const fd = openSync(file, "a+", 0o600);
    try {
      // Written, and not only made so long: who changes memory that a full disk has no room for is ended by the system.
      if (fstatSync(fd).size < size) writeSync(fd, Buffer.alloc(size));
      this.#memory = mmap(null, size, readWrite, shared, fd, 0);
    } finally {
      closeSync(fd);
    }
    if (this.#memory === failed)
      throw new Error(`${file} is on a file system without shared memory; choose another with --data`);
    this.#numbers = new Int32Array(koffi.view(this.#memory, size));
  }

  get value(): number {
    return Atomics.load(this.#opened(), 0);
  }

  /** Gives it a new value, which all processes see at once. */
  increase(): void {
    Atomics.add(this.#opened(), 0, 1);
  }

  close(): void {
    if (!this.#numbers) return;
    this.#numbers = undefined;
    munmap!(this.#memory, size);
  }

  #opened(): Int32Array {
    if (!this.#numbers) throw new Error("The counter is closed");
    return this.#numbers;
  }
}
