import { createHash } from "node:crypto";
import fs from "node:fs";
import { promisify } from "node:util";
import xattr from "@napi-rs/xattr";
import type { DriveEntry } from "../drive.ts";
import { temporaryName } from "../processes.ts";
import { codeOf, meansAbsent } from "./errors.ts";
import { type Folders, inside, openFolder } from "./folders.ts";
import type { Place } from "./places.ts";

const attribute = "user.overcoat";
const marker = "sidecar";
const fsyncAsync = promisify(fs.fsync);
const tooLarge = new Set(["E2BIG", "ENOSPC", "ERANGE", "EDQUOT"]);

/** Why a file cannot hold properties. */
type Refusal = "unsupported" | "too large";
type Identity = Pick<DriveEntry, "size" | "modified">;

/** What a file was found to have. */
export interface FoundProperties {
  readonly properties: string | undefined;
  /** Whether the file's time of change moves when they are changed. */
  readonly inFile: boolean;
}

/** Stores each file's properties in an extended attribute, or in a sidecar where that is not possible. */
export class Properties {
  readonly #folders: Folders;
  readonly #fsync: boolean;
  readonly #supported = new Map<string, boolean>();

  constructor(folders: Folders, fsync: boolean) {
    this.#folders = folders;
    this.#fsync = fsync;
  }

  /** Properties of the file at `target`; undefined where there are none or they belong to other bytes. */
  read(place: Place, target: string, entry: DriveEntry): FoundProperties {
    const value = xattr.getAttributeSync(target, attribute);
    const text = value?.toString("utf8");
    if (text === marker || (value === null && !this.#supports(target, entry)))
      return { properties: readSidecar(place, entry), inFile: false };
    const prefix = prefixOf(entry);
    return { properties: text?.startsWith(prefix) ? text.slice(prefix.length) : undefined, inFile: true };
  }

  /** Writes the properties of the file at `target`, which is or will be at `place`. @returns whether in a sidecar. */
  async write(place: Place, target: string, entry: DriveEntry, properties: string): Promise<boolean> {
    const refusal = this.writeInFile(target, entry, properties);
    if (refusal) await this.writeAside(place, target, entry, properties, refusal);
    return refusal !== undefined;
  }

  /** Writes them into the file itself. @returns why that is not possible */
  writeInFile(target: string, entry: DriveEntry, properties: string): Refusal | undefined {
    try {
      xattr.setAttributeSync(target, attribute, prefixOf(entry) + properties);
      return undefined;
    } catch (error) {
      const code = codeOf(error);
      if (code === "ENOTSUP") return "unsupported";
      if (tooLarge.has(code)) return "too large";
      throw error;
    }
  }

  /** Writes them into a sidecar, after `writeInFile` was refused. */
  async writeAside(
    place: Place,
    target: string,
    entry: DriveEntry,
    properties: string,
    refusal: Refusal,
  ): Promise<void> {
    await this.#writeSidecar(place, entry, properties);
    try {
      if (refusal === "too large" && !this.#isMarked(target))
        xattr.setAttributeSync(target, attribute, marker);
    } catch (failure) {
      this.removeSidecar(place, entry);
      throw failure;
    }
  }

  /** Whether the file at `target` has, or could have, a sidecar. */
  hasSidecar(target: string, entry: DriveEntry): boolean {
    const value = xattr.getAttributeSync(target, attribute);
    return value === null ? !this.#supports(target, entry) : value.toString("latin1") === marker;
  }

  #isMarked(target: string): boolean {
    return xattr.getAttributeSync(target, attribute)?.toString("latin1") === marker;
  }

  /** Copies a sidecar to the name it has when its file is at `to`. */
  async copySidecar(from: Place, to: Place, entry: DriveEntry): Promise<void> {
    const properties = readSidecar(from, entry);
    if (properties !== undefined) await this.#writeSidecar(to, entry, properties);
  }

  /** Removes the sidecar of what was at `place`. */
  removeSidecar(place: Place, entry: Identity): void {
    const { folder, name } = sidecarOf(place, entry);
    withFolder(folder, (fd) => fs.unlinkSync(inside(fd, folder, name)));
  }

  /** Absent and unsupported attributes read alike, so removing one that is never there tells them apart. */
  #supports(target: string, entry: DriveEntry): boolean {
    const device = entry.id.slice(0, entry.id.indexOf("-"));
    const known = this.#supported.get(device);
    if (known !== undefined) return known;
    try {
      xattr.removeAttributeSync(target, `${attribute}.probe`);
      return true;
    } catch (error) {
      const code = codeOf(error);
      if (code !== "ENODATA" && code !== "ENOTSUP") return false;
      this.#supported.set(device, code === "ENODATA");
      return code === "ENODATA";
    }
  }

  async #writeSidecar(place: Place, entry: Identity, properties: string): Promise<void> {
    const { folder, name } = sidecarOf(place, entry);
    const temporary = `${place.hidden}/tmp`;
    const ready = this.#folders.ready(place.base, folder);
    const start = this.#folders.ready(place.base, temporary);
    try {
      const partial = inside(start.fd, temporary, temporaryName());
      const fd = fs.openSync(partial, "wx", 0o666);
      try {
        fs.writeFileSync(fd, properties);
        if (this.#fsync) await fsyncAsync(fd);
        fs.renameSync(partial, inside(ready.fd, folder, name));
      } catch (error) {
        fs.rmSync(partial, { force: true });
        throw error;
      } finally {
        fs.closeSync(fd);
      }
    } finally {
      fs.closeSync(start.fd);
      fs.closeSync(ready.fd);
    }
    await Promise.all([ready.durable, this.#folders.flush(folder)]);
  }
}

/** Binds properties to the bytes they belong to. Short, as ext4 has room for 64 bytes in the inode itself. */
const prefixOf = ({ size, modified }: Identity) => `${size.toString(36)}:${modified.toString(36)}\n`;

function sidecarOf(place: Place, entry: Identity): { folder: string; name: string } {
  const hash = createHash("sha256").update(place.path).digest("hex").slice(0, 32);
  return {
    folder: `${place.hidden}/meta/${hash.slice(0, 2)}`,
    name: `${hash}-${entry.size}-${entry.modified}.json`,
  };
}

function readSidecar(place: Place, entry: Identity): string | undefined {
  const { folder, name } = sidecarOf(place, entry);
  return withFolder(folder, (fd) => {
    const file = fs.openSync(
      inside(fd, folder, name),
      fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK,
    );
    try {
      return fs.readFileSync(file, "utf8");
    } finally {
      fs.closeSync(file);
    }
  });
}

function withFolder<Result>(folder: string, action: (fd: number) => Result): Result | undefined {
  let fd: number | undefined;
  try {
    fd = openFolder(folder);
    return fd === undefined ? undefined : action(fd);
  } catch (error) {
    if (meansAbsent(error)) return undefined;
    throw error;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
