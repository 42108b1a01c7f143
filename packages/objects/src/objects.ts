import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type CreateOptions,
  type DescribedFile,
  type Drive,
  Locks,
  type PendingFile,
  type WriteConditions,
} from "@overcoat/drives";
import { Buckets, bucketNotEmpty } from "./buckets.ts";
import { checkCopySource, checkRead, checkWrite } from "./conditions.ts";
import { BucketConfigurations } from "./configurations.ts";
import { asObjectsError, translate } from "./drive-errors.ts";
import { ObjectsError } from "./errors.ts";
import { FolderIndex } from "./folder-index.ts";
import { Folders } from "./folders.ts";
import { KeyTree } from "./key-tree.ts";
import { checkKey } from "./keys.ts";
import { Listing, type ListPage, type ListRequest } from "./listing.ts";
import {
  type Checksum,
  type Conditions,
  noMetadata,
  type ObjectInfo,
  type ObjectMetadata,
} from "./metadata.ts";
import { OpenObject } from "./open-object.ts";
import { type ByteSource, type Payload, payloadOf } from "./payload.ts";
import { encodeRecord, isDerivable, type ObjectRecord, objectInfo, rewrittenRecord } from "./record.ts";
import { SharedCounter } from "./shared-counter.ts";
import { type CompletedPart, chooseParts, multipartEtag, type Upload, Uploads } from "./uploads.ts";

export interface ObjectsOptions {
  readonly drive: Drive;
  /** Directory for locks and multipart parts; shared by all processes that serve the drive. */
  readonly data: string;
  /** Whether a delete also removes the folders that it leaves empty; default true. */
  readonly cleanup?: boolean;
  /** Whether the earlier contents that the drive keeps can be listed and read; default false. */
  readonly versions?: boolean;
}

export interface PutOptions {
  readonly metadata?: Partial<ObjectMetadata>;
  readonly conditions?: Conditions;
}

export interface CopyOptions extends PutOptions {
  /** Conditions on the source. */
  readonly sourceConditions?: Conditions;
  /** Undefined keeps the source's. */
  readonly tags?: ObjectMetadata["tags"];
}

export interface RenameOptions {
  /** Conditions on the object that has the new name. */
  readonly conditions?: Conditions;
  readonly sourceConditions?: Conditions;
}

export interface CompleteOptions {
  readonly conditions?: Conditions;
  checksum(upload: Upload, parts: readonly { size: number; checksum?: string }[]): Checksum | undefined;
  /** Bytes that the client says the object has. */
  readonly size?: number;
}

/** An object with its contents, newest first; one called `null` where the drive keeps no others. */
export interface VersionedObject {
  readonly key: string;
  readonly versions: readonly { readonly id: string; readonly info: ObjectInfo }[];
}

export interface VersionsPage extends Omit<ListPage, "objects"> {
  readonly objects: readonly VersionedObject[];
}

/** Objects whose versions are asked for at the same time. */
const versionsAtOnce = 8;
const noKey = (key: string) =>
  new ObjectsError("NoSuchKey", "The specified key does not exist.", { Key: key });
const uploadsKept = 7 * 24 * 3600 * 1000;
const temporaryKept = 24 * 3600 * 1000;
const sweepEvery = 3600 * 1000;

/** Opens the S3 semantics on a drive. */
export async function openObjects(options: ObjectsOptions): Promise<Objects> {
  await mkdir(join(options.data, "uploads"), { recursive: true, mode: 0o700 });
  const objects = new Objects(options);
  await objects.sweep();
  return objects;
}

/** S3's objects and buckets on a drive. Errors are `ObjectsError` with S3's codes. */
export class Objects implements AsyncDisposable {
  readonly buckets: Buckets;
  readonly uploads: Uploads;
  readonly #drive: Drive;
  readonly #keys: KeyTree;
  readonly #locks: Locks;
  readonly #changes: SharedCounter;
  readonly #index: FolderIndex;
  readonly #listing: Listing;
  readonly #cleanup: boolean;
  /** Whether `listVersions` and version ids tell of earlier contents. */
  readonly versioned: boolean;
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: ObjectsOptions) {
    this.#drive = options.drive;
    this.#keys = new KeyTree(options.drive);
    this.#cleanup = options.cleanup ?? true;
    this.versioned = options.versions === true && options.drive.versions !== undefined;
    this.#locks = new Locks(join(options.data, "locks"), late);
    this.#index = new FolderIndex(options.data);
    this.#listing = new Listing(options.drive, new Folders(options.drive, this.#index));
    this.#changes = new SharedCounter(join(options.data, "bucket-changes"));
    const configurations = new BucketConfigurations(options.drive, this.#changes);
    this.buckets = new Buckets(options.drive, this.#locks, configurations);
    this.uploads = new Uploads(join(options.data, "uploads"));
    this.#sweeper = setInterval(() => this.sweep().catch(() => undefined), sweepEvery).unref();
  }

  createBucket(name: string): Promise<boolean> {
    return this.buckets.create(name);
  }

  /** Removes an empty bucket with its unfinished uploads. @throws ObjectsError NoSuchBucket, BucketNotEmpty */
  async deleteBucket(name: string): Promise<void> {
    const { objects } = await this.listObjects(name, { maxKeys: 1 });
    if (objects.length) throw bucketNotEmpty(name);
    await this.buckets.remove(name);
    const removed = Date.now();
    for (const { id, initiated } of await this.uploads.list(name))
      if (initiated <= removed) await this.uploads.remove(id);
  }

  bucketExists(name: string): Promise<boolean> {
    return this.buckets.exists(name);
  }

  /** Removes what crashes left behind, and uploads that nobody finished for a week. */
  async sweep(): Promise<void> {
    await this.#drive.sweep(temporaryKept);
    await this.uploads.sweep(uploadsKept, temporaryKept);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#index.close();
    this.#locks.close();
    this.#changes.close();
    await this.#drive.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async listObjects(bucket: string, request: ListRequest = {}): Promise<ListPage> {
    const folder = await this.buckets.path(bucket);
    return translate(() => this.#listing.page(folder, request));
  }

  /**
   * A page of a bucket with the contents that the drive keeps of each object, newest first: takes a call of the drive
   * for each object where it is a remote one.
   */
  async listVersions(bucket: string, request: ListRequest = {}): Promise<VersionsPage> {
    const page = await this.listObjects(bucket, request);
    const objects: VersionedObject[] = [];
    for (let at = 0; at < page.objects.length; at += versionsAtOnce)
      objects.push(
        ...(await Promise.all(
          page.objects.slice(at, at + versionsAtOnce).map((info) => this.#versionsOf(bucket, info)),
        )),
      );
    return { ...page, objects };
  }

  async #versionsOf(bucket: string, info: ObjectInfo): Promise<VersionedObject> {
    const { key } = info;
    const found = this.versioned ? await this.#keys.find(this.buckets.folder(bucket), key) : undefined;
    const kept = found ? await translate(() => this.#drive.versions!(found.path)) : [];
    const versions = kept.map(({ id, entry }, i) => ({
      id,
      info: i === 0 ? info : objectInfo(key, { entry, properties: undefined }),
    }));
    return { key, versions: versions.length > 0 ? versions : [{ id: "null", info }] };
  }

  /** An earlier content of an object, or the present one. @throws ObjectsError NoSuchVersion, and as `headObject` */
  async getVersion(bucket: string, key: string, id: string, conditions?: Conditions): Promise<OpenObject> {
    const found = this.versioned ? await this.#keys.find(this.buckets.folder(bucket), key) : undefined;
    const file = found && (await translate(() => this.#drive.openVersion!(found.path, id)));
    if (!file)
      throw new ObjectsError("NoSuchVersion", "The specified version does not exist.", { VersionId: id });
    try {
      const info = objectInfo(key, file.described);
      if (conditions) checkRead(conditions, info);
      return new OpenObject(info, file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** @throws ObjectsError NoSuchKey, and by the conditions NotModified or PreconditionFailed */
  async headObject(bucket: string, key: string, conditions?: Conditions): Promise<ObjectInfo> {
    const found = await this.#keys.find(this.buckets.folder(bucket), key);
    if (!found) return this.#missing(bucket, key);
    const { info } = found;
    if (conditions) checkRead(conditions, info);
    return info;
  }

  /** @throws as `headObject` */
  async getObject(bucket: string, key: string, conditions?: Conditions): Promise<OpenObject> {
    const file = await this.#keys.open(this.buckets.folder(bucket), key);
    if (!file) return this.#missing(bucket, key);
    try {
      const info = objectInfo(key, file.described);
      if (conditions) checkRead(conditions, info);
      return new OpenObject(info, file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Stores an object; nothing of it shows before all bytes are there and verified. */
  async putObject(
    bucket: string,
    key: string,
    body: ByteSource | Payload,
    options: PutOptions = {},
  ): Promise<ObjectInfo> {
    const folder = await this.buckets.path(bucket);
    checkKey(key);
    const there = options.conditions && (await this.#keys.find(folder, key));
    checkWrite(options.conditions, there?.info);
    const payload = typeof body === "object" && "chunks" in body ? body : payloadOf(body);
    const whole = payload.whole?.();
    const create = { size: payload.length, ...driveConditions(options.conditions, there?.file) };
    return this.#write(folder, key, options, create, async (file) => {
      if (whole) await file.write(whole);
      else for await (const chunk of payload.chunks) await file.write(chunk);
      const { md5, checksum } = payload.result();
      return {
        etag: md5,
        metadata: { ...noMetadata, ...options.metadata },
        checksum: checksum && { ...checksum, type: "FULL_OBJECT" },
      };
    });
  }

  /** Copies inside the drive. Metadata and tags that are not given stay the source's. */
  async copyObject(
    source: { bucket: string; key: string; version?: string },
    bucket: string,
    key: string,
    options: CopyOptions = {},
  ): Promise<ObjectInfo> {
    if (source.version !== undefined) return this.#copyVersion(source, source.version, bucket, key, options);
    const folder = await this.buckets.path(bucket);
    checkKey(key);
    const from = await this.#keys.find(await this.buckets.path(source.bucket), source.key);
    if (!from) throw noKey(source.key);
    checkCopySource(options.sourceConditions, from.info);
    const record: ObjectRecord = {
      ...from.info,
      upload: undefined,
      metadata: {
        ...(options.metadata ? { ...noMetadata, ...options.metadata } : from.info.metadata),
        tags: options.tags ?? from.info.metadata.tags,
      },
    };
    const path = await this.#keys.place(folder, key);
    const pending = await translate(() => this.#drive.copy(from.path, path));
    if (!pending) throw noKey(source.key);
    return this.#finish(folder, key, pending, options.conditions, async () => record);
  }

  async #copyVersion(
    source: { bucket: string; key: string },
    version: string,
    bucket: string,
    key: string,
    { metadata, tags, conditions, sourceConditions }: CopyOptions,
  ): Promise<ObjectInfo> {
    await using from = await this.getVersion(source.bucket, source.key, version);
    checkCopySource(sourceConditions, from.info);
    const kept = { ...(metadata ?? from.info.metadata), tags: tags ?? from.info.metadata.tags };
    return this.putObject(bucket, key, from.readChunks(), { metadata: kept, conditions });
  }

  /** @returns false when there was no such object, which S3 counts as success. */
  async deleteObject(bucket: string, key: string, conditions?: Conditions): Promise<boolean> {
    const folder = await this.buckets.path(bucket);
    checkKey(key);
    return this.#locks.with(`${folder}/${key}`, async () => {
      const found = await this.#keys.find(folder, key);
      checkWrite(conditions, found?.info);
      if (!found) return false;
      const { unchanged } = driveConditions(conditions, found.file);
      const removed = await translate(() => this.#drive.remove(found.path, unchanged));
      if (this.#cleanup) await this.#keys.removeEmptyFolders(folder, found.path);
      return removed;
    });
  }

  /**
   * Deletes many objects of a bucket.
   * @returns for each what `deleteObject` does, or its refusal
   */
  async deleteObjects(bucket: string, keys: readonly string[]): Promise<(boolean | Error)[]> {
    const folder = await this.buckets.path(bucket);
    const results: (boolean | Error)[] = [];
    await this.#locks.withAll(
      keys.map((key) => `${folder}/${key}`),
      async () => {
        const found: { at: number; path: string }[] = [];
        for (const [at, key] of keys.entries()) {
          const there = await this.#keys.find(folder, key).catch((error: Error) => error);
          if (there instanceof Error) results[at] = there;
          else if (there) found.push({ at, path: there.path });
          else results[at] = false;
        }
        const removed = await translate(() => this.#drive.removeAll(found.map(({ path }) => path)));
        for (const [i, { at }] of found.entries())
          results[at] = asObjectsError(removed[i]!) as boolean | Error;
        const emptied = found.filter(({ at }) => results[at] === true).map(({ path }) => path);
        if (this.#cleanup) await this.#keys.removeAllEmptyFolders(folder, emptied);
      },
    );
    return results;
  }

  /** Changes the tags of an object in place. */
  async setTags(bucket: string, key: string, tags: ObjectMetadata["tags"]): Promise<void> {
    const folder = await this.buckets.path(bucket);
    await this.#locks.with(`${folder}/${key}`, async () => {
      const found = await this.#keys.find(folder, key);
      if (!found) throw noKey(key);
      const { info } = found;
      const record = encodeRecord({ ...info, metadata: { ...info.metadata, tags } });
      await translate(() => this.#drive.setProperties(found.path, record));
    });
  }

  /**
   * Renames an object in one step, with all that is kept of it; what has the name is replaced.
   * @throws ObjectsError NoSuchKey, PreconditionFailed
   */
  async renameObject(bucket: string, from: string, to: string, options: RenameOptions = {}): Promise<void> {
    const folder = await this.buckets.path(bucket);
    checkKey(to);
    const work = async () => {
      const source = await this.#keys.find(folder, from);
      if (!source) throw noKey(from);
      checkCopySource(options.sourceConditions, source.info, "x-amz-rename-source-");
      const target = await this.#keys.find(folder, to);
      if (target) checkCopySource(options.conditions, target.info, "");
      else checkWrite(options.conditions, undefined);
      const path = await this.#keys.place(folder, to);
      if (!(await translate(() => this.#drive.move(source.path, path)))) throw noKey(from);
      if (this.#cleanup && path !== source.path) await this.#keys.removeEmptyFolders(folder, source.path);
    };
    await this.#locks.withAll([`${folder}/${from}`, `${folder}/${to}`], work);
  }

  /** @throws ObjectsError PreconditionFailed when the source of a copy is not as asked for. */
  checkSource(info: ObjectInfo, conditions: Conditions): void {
    checkCopySource(conditions, info);
  }

  async createUpload(upload: Omit<Upload, "id" | "initiated">): Promise<Upload> {
    await this.buckets.path(upload.bucket);
    checkKey(upload.key);
    return this.uploads.create(upload);
  }

  /**
   * Puts the named parts together as the object.
   * @throws ObjectsError NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall, PreconditionFailed
   */
  completeUpload(
    bucket: string,
    key: string,
    id: string,
    named: readonly CompletedPart[],
    options: CompleteOptions,
  ): Promise<ObjectInfo> {
    // One at a time: a repeat finds what the first has made.
    return this.#locks.with(`upload:${id}`, () => this.#complete(bucket, key, id, named, options));
  }

  async #complete(
    bucket: string,
    key: string,
    id: string,
    named: readonly CompletedPart[],
    options: CompleteOptions,
  ): Promise<ObjectInfo> {
    const folder = await this.buckets.path(bucket);
    const before = await this.#keys.find(folder, key);
    if (before?.info.upload === id) {
      // The process that put it together may have ended before it could remove the parts.
      await this.uploads.remove(id);
      return before.info;
    }
    const upload = await this.uploads.get(id, bucket, key);
    const parts = chooseParts(await this.uploads.parts(upload), named);
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    if (options.size !== undefined && options.size !== size)
      throw new ObjectsError("InvalidRequest", "The size of the parts is not x-amz-mp-object-size.");
    checkWrite(options.conditions, before?.info);
    const checksum = options.checksum(upload, parts);
    const create = { size, ...driveConditions(options.conditions, before?.file) };
    const info = await this.#write(folder, key, options, create, async (file) => {
      for await (const chunk of this.uploads.read(parts)) await file.write(chunk);
      return {
        etag: multipartEtag(parts),
        metadata: upload.metadata,
        checksum,
        parts: parts.map((part) => ({ size: part.size, checksum: part.checksum })),
        upload: id,
      };
    });
    await this.uploads.remove(id);
    return info;
  }

  async #write(
    folder: string,
    key: string,
    options: PutOptions,
    create: CreateOptions,
    fill: (file: PendingFile) => Promise<ObjectRecord>,
  ): Promise<ObjectInfo> {
    const path = await this.#keys.place(folder, key);
    const pending = await translate(() => this.#drive.create(path, create));
    return this.#finish(folder, key, pending, options.conditions, () => fill(pending));
  }

  async #finish(
    folder: string,
    key: string,
    pending: PendingFile,
    conditions: Conditions | undefined,
    fill: () => Promise<ObjectRecord>,
  ): Promise<ObjectInfo> {
    try {
      const record = await translate(fill);
      return await this.#locks.with(`${folder}/${key}`, async () => {
        const there = conditions && (await this.#keys.find(folder, key));
        checkWrite(conditions, there?.info);
        const commit = {
          ...driveConditions(conditions, there?.file),
          derivable: isDerivable(key, record),
          rewritten: () => encodeRecord(rewrittenRecord(record)),
        };
        const entry = await translate(() => pending.commit(encodeRecord(record), commit));
        return { key, size: entry.size, modified: entry.modified, ...record };
      });
    } catch (error) {
      await pending.discard();
      throw error;
    }
  }

  /** @throws ObjectsError NoSuchBucket or NoSuchKey */
  async #missing(bucket: string, key: string): Promise<never> {
    await this.buckets.path(bucket);
    throw noKey(key);
  }
}

/** What a drive must see to when it takes a write, `there` being what was checked. */
const driveConditions = (
  conditions: Conditions | undefined,
  there: DescribedFile | undefined,
): WriteConditions => ({
  onlyIfAbsent: conditions?.ifNoneMatch === "*",
  unchanged:
    conditions?.ifMatch === undefined && conditions?.ifUnmodifiedSince === undefined
      ? undefined
      : there?.entry,
});

const late = () =>
  new ObjectsError("ConditionalRequestConflict", "Another write of this key is taking too long.");
