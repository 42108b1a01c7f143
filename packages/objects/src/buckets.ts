import { type Drive, DriveError, type Locks } from "@overcoat/drives";
import { type BucketConfiguration, type BucketConfigurations, noConfiguration } from "./configurations.ts";
import { translate } from "./drive-errors.ts";
import { ObjectsError } from "./errors.ts";
import { compareKeys, hiddenFolder } from "./keys.ts";

export interface BucketInfo {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly created: number;
}

const namePattern =
  /^(?!\d+\.\d+\.\d+\.\d+$)(?!xn--)(?!.*(?:-s3alias|--ol-s3)$)[a-z0-9](?:[a-z0-9-]|\.(?![.-])){1,61}[a-z0-9]$/;

/** Rules for new buckets (S3 user guide, "General purpose bucket naming rules"). */
export const validBucketName = (name: string) => namePattern.test(name) && !name.includes("-.");

/** Names that could be a folder at all. */
const possible = (name: string) =>
  name !== "" &&
  name !== "." &&
  name !== ".." &&
  name.length <= 255 &&
  !name.includes("/") &&
  !name.startsWith(hiddenFolder);

const noBucket = (name: string) =>
  new ObjectsError("NoSuchBucket", "The specified bucket does not exist", { BucketName: name });

export const bucketNotEmpty = (name: string) =>
  new ObjectsError("BucketNotEmpty", "The bucket you tried to delete is not empty", { BucketName: name });

/** Buckets: the top-level folders of the drive. All changes of one bucket happen under the lock of its name. */
export class Buckets {
  readonly #drive: Drive;
  readonly #locks: Locks;
  readonly #configurations: BucketConfigurations;

  constructor(drive: Drive, locks: Locks, configurations: BucketConfigurations) {
    this.#drive = drive;
    this.#locks = locks;
    this.#configurations = configurations;
  }

  /** By name. What vanishes meanwhile is left out. */
  async list(): Promise<BucketInfo[]> {
    const found: BucketInfo[] = [];
    for await (const page of this.#drive.list(""))
      for (const { name, kind } of page) {
        if (kind !== "folder" || !possible(name)) continue;
        const entry = await this.#drive.stat(name);
        if (entry?.kind !== "folder") continue;
        // A folder may be one that cannot be looked into, as `lost+found` of a disk.
        const { created = entry.modified } = await this.#configurations
          .read(name)
          .catch(() => noConfiguration);
        found.push({ name, created });
      }
    return found.sort((a, b) => compareKeys(a.name, b.name));
  }

  async exists(name: string): Promise<boolean> {
    return possible(name) && (await this.#drive.stat(name))?.kind === "folder";
  }

  /** The folder of a bucket. @throws ObjectsError NoSuchBucket */
  async path(name: string): Promise<string> {
    if (await this.exists(name)) return name;
    throw noBucket(name);
  }

  /** The folder that a bucket of this name has if it exists. @throws ObjectsError NoSuchBucket if none can */
  folder(name: string): string {
    if (possible(name)) return name;
    throw noBucket(name);
  }

  /** @returns false when it was there already. @throws ObjectsError InvalidBucketName */
  async create(name: string): Promise<boolean> {
    if (!validBucketName(name))
      throw new ObjectsError("InvalidBucketName", "The specified bucket is not valid.", { BucketName: name });
    return this.#locks.with(name, async () => {
      if (!(await translate(() => this.#drive.makeFolder(name)))) return false;
      await this.#configurations.write(name, { created: Date.now() });
      return true;
    });
  }

  /** Removes a bucket in which there is no object. @throws ObjectsError NoSuchBucket, BucketNotEmpty */
  async remove(name: string): Promise<void> {
    await this.#locks.with(name, async () =>
      translate(async () => {
        await this.path(name);
        const before = await this.#configurations.read(name);
        const had = await this.#configurations.remove(name);
        try {
          await this.#removeEmpty(name);
          // The drive refuses while anything is in there, the temporary file of a running upload too.
          if (await this.#drive.removeFolder(name)) return;
          if (await this.exists(name)) throw bucketNotEmpty(name);
        } catch (error) {
          if (had && (await this.exists(name))) await this.#configurations.write(name, before);
          throw error;
        }
      }),
    );
  }

  async #removeEmpty(path: string): Promise<void> {
    for (const folder of await this.#foldersIn(path)) {
      await this.#removeEmpty(folder);
      await this.#drive.removeFolder(folder);
    }
  }

  async #foldersIn(path: string): Promise<string[]> {
    const found: string[] = [];
    try {
      for await (const page of this.#drive.list(path))
        for (const { name, kind } of page) if (kind === "folder") found.push(`${path}/${name}`);
    } catch (error) {
      // The deletion of its last object takes a folder away just as well.
      if (!(error instanceof DriveError && error.code === "NotFound")) throw error;
    }
    return found;
  }

  /**
   * What is kept of a bucket; the same object as long as it does not change. Empty where there is no bucket.
   * @throws Error when it is damaged
   */
  configuration(name: string): BucketConfiguration | Promise<BucketConfiguration> {
    return possible(name) ? this.#configurations.get(name) : noConfiguration;
  }

  /** Changes what is kept of a bucket in one step, between all processes. @throws ObjectsError NoSuchBucket */
  async change(name: string, change: (before: BucketConfiguration) => BucketConfiguration): Promise<void> {
    await this.#locks.with(name, async () => {
      await this.path(name);
      await this.#configurations.write(name, change(await this.#configurations.read(name)));
    });
  }
}
