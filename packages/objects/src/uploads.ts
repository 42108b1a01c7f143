import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isLeftOver, readChunks, temporaryName } from "@overcoat/drives";
import { ObjectsError } from "./errors.ts";
import { compareKeys } from "./keys.ts";
import type { ChecksumAlgorithm, ObjectMetadata } from "./metadata.ts";
import type { Payload } from "./payload.ts";

/** A multipart upload that is neither completed nor aborted. */
export interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly initiated: number;
  readonly metadata: ObjectMetadata;
  readonly checksum?: { algorithm: ChecksumAlgorithm; type: "FULL_OBJECT" | "COMPOSITE" };
}

export interface PartInfo {
  readonly number: number;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly etag: string;
  /** Base64, in the upload's algorithm. */
  readonly checksum?: string;
}

/** A part as the client names it when it completes the upload. */
export interface CompletedPart {
  readonly number: number;
  readonly etag: string;
  readonly checksum?: string;
}

interface SpooledPart extends PartInfo {
  readonly path: string;
}

const description = "upload.json";
const temporaryPrefix = "tmp-";
const idPattern = /^[0-9a-f]{48}$/;
/** How often the parts are looked at anew because one of them is being replaced. */
const attempts = 10;
const noUpload = () =>
  new ObjectsError(
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
  );

/** Parts of uploads, spooled to disk: `<root>/<upload id>/<number>.<age>.<md5>.<checksum>`, each whole and synced. */
export class Uploads {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async create(upload: Omit<Upload, "id" | "initiated">): Promise<Upload> {
    const initiated = Date.now();
    const id = initiated.toString(16).padStart(12, "0") + randomBytes(18).toString("hex");
    const whole: Upload = { ...upload, id, initiated };
    const folder = join(this.#root, temporaryPrefix + temporaryName());
    await mkdir(folder, { mode: 0o700 });
    try {
      await writeFile(join(folder, description), JSON.stringify(whole), { mode: 0o600, flush: true });
      await rename(folder, join(this.#root, id));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    return whole;
  }

  /** @throws ObjectsError NoSuchUpload */
  async get(id: string, bucket: string, key: string): Promise<Upload> {
    const upload = idPattern.test(id) ? await this.#read(id) : undefined;
    if (upload?.bucket !== bucket || upload.key !== key) throw noUpload();
    return upload;
  }

  async #read(id: string): Promise<Upload | undefined> {
    try {
      return JSON.parse(await readFile(join(this.#root, id, description), "utf8")) as Upload;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Uploads of a bucket by key, then by age. */
  async list(bucket: string): Promise<Upload[]> {
    const uploads = await Promise.all((await this.#ids()).map((id) => this.#read(id)));
    return uploads
      .filter((upload): upload is Upload => upload?.bucket === bucket)
      .sort((a, b) => compareKeys(a.key, b.key) || (a.id < b.id ? -1 : 1));
  }

  async #ids(): Promise<string[]> {
    return (await readdir(this.#root)).filter((name) => idPattern.test(name));
  }

  /** Spools one part; an earlier one of the same number is replaced. */
  async addPart(upload: Upload, number: number, payload: Payload): Promise<PartInfo> {
    const folder = join(this.#root, upload.id);
    const temporary = join(folder, temporaryPrefix + temporaryName());
    const file = await open(temporary, "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
      throw error.code === "ENOENT" ? noUpload() : error;
    });
    try {
      let size = 0;
      try {
        for await (const chunk of payload.chunks) {
          // All of it, where `write` may take a piece only.
          await file.writeFile(chunk);
          size += chunk.length;
        }
        await file.datasync();
      } finally {
        await file.close();
      }
      const { md5: etag, checksum } = payload.result();
      const kept = checksum?.algorithm === upload.checksum?.algorithm ? checksum?.value : undefined;
      const age = process.hrtime.bigint().toString(36).padStart(13, "0");
      const prefix = `${String(number).padStart(5, "0")}.`;
      const stamp = `${Date.now().toString(36)}${age}`;
      const name = `${prefix}${stamp}.${etag}.${kept === undefined ? "" : Buffer.from(kept).toString("base64url")}`;
      await rename(temporary, join(folder, name));
      for (const other of await readdir(folder))
        if (other.startsWith(prefix) && other < name) await rm(join(folder, other), { force: true });
      return { number, size, modified: Date.now(), etag, checksum: kept };
    } catch (error) {
      await rm(temporary, { force: true });
      if ((error as NodeJS.ErrnoException).code === "ENOENT") throw noUpload();
      throw error;
    }
  }

  /** The parts that were uploaded, by number. */
  async parts(upload: Upload): Promise<SpooledPart[]> {
    for (let attempt = 1; ; attempt++)
      try {
        return await partsIn(join(this.#root, upload.id));
      } catch (error) {
        // A part that was met has been replaced since.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT" || attempt === attempts) throw error;
      }
  }

  /** The bytes of parts, one after the other. A chunk is good until the next one is asked for. */
  async *read(parts: readonly SpooledPart[]): AsyncGenerator<Buffer> {
    try {
      for (const { path, size } of parts) {
        const file = await open(path);
        try {
          yield* readChunks(file.fd, 0, size);
        } finally {
          await file.close();
        }
      }
    } catch (error) {
      // Aborted meanwhile.
      throw (error as NodeJS.ErrnoException).code === "ENOENT" ? noUpload() : error;
    }
  }

  async remove(id: string): Promise<void> {
    // In one step, so that no half of an upload is ever found.
    const gone = join(this.#root, temporaryPrefix + temporaryName());
    try {
      await rename(join(this.#root, id), gone);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    await rm(gone, { recursive: true, force: true });
  }

  /** Removes uploads begun more than `uploadsKept` milliseconds ago, and what crashes left (see `isLeftOver`). */
  async sweep(uploadsKept: number, temporaryKept: number): Promise<void> {
    await sweepFolder(this.#root, temporaryKept);
    for (const id of await this.#ids())
      if (Number.parseInt(id.slice(0, 12), 16) < Date.now() - uploadsKept) await this.remove(id);
      else await sweepFolder(join(this.#root, id), temporaryKept);
  }
}

async function partsIn(folder: string): Promise<SpooledPart[]> {
  const byNumber = new Map<number, SpooledPart>();
  for (const name of (await readdir(folder).catch(() => [])).sort()) {
    const [number, , etag, checksum] = name.split(".");
    if (!number || etag === undefined || checksum === undefined || !/^\d{5}$/.test(number)) continue;
    const path = join(folder, name);
    const { size, mtimeMs } = await stat(path);
    byNumber.set(Number(number), {
      number: Number(number),
      size,
      modified: mtimeMs,
      etag,
      checksum: checksum ? Buffer.from(checksum, "base64url").toString() : undefined,
      path,
    });
  }
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
}

async function sweepFolder(folder: string, olderThan: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(temporaryPrefix)) continue;
    const path = join(folder, name);
    const stats = await stat(path).catch(() => undefined);
    if (stats && isLeftOver(name.slice(temporaryPrefix.length), stats.mtimeMs, olderThan))
      await rm(path, { recursive: true, force: true });
  }
}

/** ETag of an object made of parts: MD5 of their MD5s, and their number. */
export function multipartEtag(parts: readonly PartInfo[]): string {
  const hash = createHash("md5");
  for (const part of parts) hash.update(Buffer.from(part.etag, "hex"));
  return `${hash.digest("hex")}-${parts.length}`;
}

/** S3's smallest size of any part but the last, in bytes. */
const smallestPart = 5 * 1024 * 1024;

/**
 * The spooled parts that a completion names.
 * @throws ObjectsError InvalidPart, InvalidPartOrder, EntityTooSmall
 */
export function chooseParts(spooled: readonly SpooledPart[], named: readonly CompletedPart[]): SpooledPart[] {
  const byNumber = new Map(spooled.map((part) => [part.number, part]));
  let before = 0;
  for (const { number } of named) {
    if (number <= before)
      throw new ObjectsError(
        "InvalidPartOrder",
        "The list of parts was not in ascending order. The parts list must be specified in order by part number.",
      );
    before = number;
  }
  const chosen = named.map((part) => {
    const found = byNumber.get(part.number);
    const differs =
      part.checksum !== undefined && found?.checksum !== undefined && part.checksum !== found.checksum;
    if (!found || found.etag !== part.etag.replace(/^"(.*)"$/, "$1") || differs)
      throw new ObjectsError(
        "InvalidPart",
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part.",
        { PartNumber: String(part.number), ETag: part.etag },
      );
    return found;
  });
  const small = chosen.slice(0, -1).find((part) => part.size < smallestPart);
  if (small)
    throw new ObjectsError(
      "EntityTooSmall",
      "Your proposed upload is smaller than the minimum allowed size",
      {
        PartNumber: String(small.number),
        ProposedSize: String(small.size),
        MinSizeAllowed: String(smallestPart),
      },
    );
  return chosen;
}
