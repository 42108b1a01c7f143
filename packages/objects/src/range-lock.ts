import koffi from "koffi";

/** Numbers of the system's headers, and where the fields of its `struct flock` lie (fcntl(2)). */
interface System {
  readonly setLock: number;
  readonly writeLock: number;
  readonly unlock: number;
  readonly busy: readonly number[];
  readonly type: number;
  readonly start: number;
  readonly length: number;
}

const systems: Partial<Record<NodeJS.Platform, System>> = {
  // F_OFD_SETLK, F_WRLCK, F_UNLCK; EAGAIN and EACCES.
  linux: { setLock: 37, writeLock: 1, unlock: 2, busy: [11, 13], type: 0, start: 8, length: 16 },
  darwin: { setLock: 90, writeLock: 3, unlock: 2, busy: [35, 13], type: 20, start: 0, length: 8 },
};
const system = systems[process.platform];
const structSize = 32;

const fcntl = system && koffi.load(null).func("int fcntl(int fd, int command, ...)");

/**
 * Tries to lock one byte of an open file for this open file alone; the system frees it when the file is closed,
 * also by the end of the process.
 * @returns false when another open file holds it. @throws Error when the file system knows no locks
 */
export const tryLock = (fd: number, position: bigint): boolean => setLock(fd, position, "writeLock");

export function unlock(fd: number, position: bigint): void {
  setLock(fd, position, "unlock");
}

function setLock(fd: number, position: bigint, type: "writeLock" | "unlock"): boolean {
  if (!system || !fcntl) throw new Error(`File locks are not known of ${process.platform}`);
  const range = Buffer.alloc(structSize);
  range.writeInt16LE(system[type], system.type);
  range.writeBigInt64LE(position, system.start);
  range.writeBigInt64LE(1n, system.length);
  if (fcntl(fd, system.setLock, "void *", range) !== -1) return true;
  const errno = koffi.errno();
  if (system.busy.includes(errno)) return false;
  throw new Error(
    `The data directory is on a file system without locks (errno ${errno}); choose another with --data`,
  );
}
