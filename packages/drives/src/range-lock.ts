import { hash } from "node:crypto";
import koffi from "koffi";

/** Numbers of the system's headers, and where the fields of its `struct flock` lie (fcntl(2)). */
interface System {
  readonly setLock: number;
  readonly readLock: number;
  readonly writeLock: number;
  readonly unlock: number;
  readonly busy: readonly number[];
  readonly type: number;
  readonly start: number;
  readonly length: number;
}

const systems: Partial<Record<NodeJS.Platform, System>> = {
  // F_OFD_SETLK, F_RDLCK, F_WRLCK, F_UNLCK; EAGAIN and EACCES.
  linux: { setLock: 37, readLock: 0, writeLock: 1, unlock: 2, busy: [11, 13], type: 0, start: 8, length: 16 },
  darwin: {
    setLock: 90,
    readLock: 1,
    writeLock: 3,
    unlock: 2,
    busy: [35, 13],
    type: 20,
    start: 0,
    length: 8,
  },
};
const system = systems[process.platform];
const structSize = 32;

const fcntl = system && koffi.load(null).func("int fcntl(int fd, int command, ...)");

/** A lock on one byte of a file that is open here, for this open file alone. */
export class RangeLock {
  readonly #fd: number;
  /** The `struct flock` of the byte. */
  readonly #range = Buffer.allocUnsafe(structSize).fill(0);

  /** The byte of a name lies where 62 bits of its hash say, so that no two names meet. */
  constructor(fd: number, name: string) {
    if (!system) throw new Error(`File locks are not known of ${process.platform}`);
    this.#fd = fd;
    this.#range.write(hash("sha256", name, "binary").slice(0, 8), system.start, "binary");
    this.#range[system.start + 7]! &= 0x3f;
    this.#range[system.length] = 1;
  }

  /**
   * The system frees it when the file is closed, also by the end of the process.
   * @returns false when another open file holds it. @throws Error when the file system knows no locks
   */
  take(): boolean {
    return this.#set("writeLock");
  }

  /** Takes it together with others who share it. @returns false when another open file holds it alone */
  share(): boolean {
    return this.#set("readLock");
  }

  free(): void {
    this.#set("unlock");
  }

  #set(type: "readLock" | "writeLock" | "unlock"): boolean {
    this.#range.writeInt16LE(system![type], system!.type);
    if (fcntl!(this.#fd, system!.setLock, "void *", this.#range) !== -1) return true;
    const errno = koffi.errno();
    if (system!.busy.includes(errno)) return false;
    throw new Error(
      `The data directory is on a file system without locks (errno ${errno}); choose another with --data`,
    );
  }
}
