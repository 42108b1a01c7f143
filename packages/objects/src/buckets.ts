import { type Drive, DriveError } from "@overcoat/drives";
import { ObjectsError } from "./errors.ts";
import { hiddenFolder } from "./keys.ts";

/** What is kept of a bucket besides its objects: S3 documents as they were put. */
export interface BucketConfiguration {
  readonly created?: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly cors?: unknown;
  readonly policy?: string;
}

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

/** Buckets: the top-level folders of the drive. */
export class Buckets {
  readonly #drive: Drive;
  readonly #configurations = new Map<string, { id: string; modified: number; value: BucketConfiguration }>();

  constructor(drive: Drive) {
    this.#drive = drive;
  }

  async list(): Promise<BucketInfo[]> {
    const found: BucketInfo[] = [];
    for await (const page of this.#drive.list(""))
      for (const { name, kind } of page)
        if (kind === "folder" && possible(name)) {
          const entry = await this.#drive.stat(name);
          if (entry)
            found.push({ name, created: (await this.configuration(name)).created ?? entry.modified });
        }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async exists(name: string): Promise<boolean> {
    return possible(name) && (await this.#drive.stat(name))?.kind === "folder";
  }

  /** The folder of a bucket. @throws ObjectsError NoSuchBucket */
  async path(name: string): Promise<string> {
    if (await this.exists(name)) return name;
    throw new ObjectsError("NoSuchBucket", "The specified bucket does not exist", { BucketName: name });
  }

  /** @returns false when it was there already. @throws ObjectsError InvalidBucketName */
  async create(name: string): Promise<boolean> {
    if (!validBucketName(name))
      throw new ObjectsError("InvalidBucketName", "The specified bucket is not valid.", { BucketName: name });
    if (!(await this.#drive.makeFolder(name))) return false;
    await this.configure(name, { created: Date.now() });
    return true;
  }

  async remove(name: string): Promise<void> {
    const path = await this.path(name);
    const before = await this.configuration(name);
    await this.#drive.remove(`${path}/${hiddenFolder}/bucket.json`);
    await this.#removeEmpty(path);
    if (await this.#drive.removeFolder(path)) return;
    if (!(await this.exists(name))) return;
    await this.configure(name, before);
    throw new ObjectsError("BucketNotEmpty", "The bucket you tried to delete is not empty", {
      BucketName: name,
    });
  }

  async #removeEmpty(path: string): Promise<void> {
    const below: string[] = [];
    for await (const page of this.#drive.list(path))
      for (const { name, kind } of page) if (kind === "folder") below.push(`${path}/${name}`);
    for (const folder of below) {
      await this.#removeEmpty(folder);
      await this.#drive.removeFolder(folder);
    }
  }

  async configuration(name: string): Promise<BucketConfiguration> {
    const path = `${name}/${hiddenFolder}/bucket.json`;
    const entry = await this.#drive.stat(path);
    if (!entry) return {};
    const kept = this.#configurations.get(name);
    if (kept && kept.id === entry.id && kept.modified === entry.modified) return kept.value;
    const file = await this.#drive.open(path);
    if (!file) return {};
    try {
      const text = (await file.readBytes(0, file.entry.size)).toString();
      const value = JSON.parse(text) as BucketConfiguration;
      this.#configurations.set(name, { id: file.entry.id, modified: file.entry.modified, value });
      return value;
    } finally {
      await file.close();
    }
  }

  async configure(name: string, value: BucketConfiguration): Promise<void> {
    try {
      const file = await this.#drive.create(`${await this.path(name)}/${hiddenFolder}/bucket.json`);
      try {
        await file.write(Buffer.from(JSON.stringify(value)));
        await file.commit("");
      } catch (error) {
        await file.discard();
        throw error;
      }
    } catch (error) {
      if (error instanceof DriveError && error.code === "NotFound")
        throw new ObjectsError("NoSuchBucket", "The specified bucket does not exist", { BucketName: name });
      throw error;
    }
  }
}
