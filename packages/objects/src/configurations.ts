import type { Drive } from "@overcoat/drives";
import { translate } from "./drive-errors.ts";
import { hiddenFolder } from "./keys.ts";
import type { SharedCounter } from "./shared-counter.ts";

/** What is kept of a bucket besides its objects: S3 documents as they were put. */
export interface BucketConfiguration {
  readonly created?: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly cors?: unknown;
  readonly policy?: string;
}

interface Kept {
  /** Those of the file; undefined where there is none. */
  readonly id: string | undefined;
  readonly modified: number | undefined;
  readonly value: BucketConfiguration;
  /** What the counter of changes was before the file was looked at, and when that was. */
  readonly changes: number;
  readonly looked: number;
}

export const noConfiguration: BucketConfiguration = {};
/** Milliseconds after which the file is looked at again, as others than these processes may have changed it. */
const trusted = 1000;
/** Names kept in memory, those of buckets that are not there too. */
const most = 10_000;

const pathOf = (bucket: string) => `${bucket}/${hiddenFolder}/bucket.json`;

function parse(text: string, path: string): BucketConfiguration {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(
      `${path} is damaged: restore it, or remove it with the policy, CORS rules and tags in it`,
      {
        cause: error,
      },
    );
  }
}

/** The configurations of all buckets, each in a file of its bucket and known by heart while none changes. */
export class BucketConfigurations {
  readonly #drive: Drive;
  readonly #changes: SharedCounter;
  readonly #kept = new Map<string, Kept>();

  /** `changes` is shared by all processes that may change a bucket. */
  constructor(drive: Drive, changes: SharedCounter) {
    this.#drive = drive;
    this.#changes = changes;
  }

  /**
   * That of a bucket; the same object as long as it does not change. Empty where there is no bucket. Changes by
   * the processes that share the counter are seen at once, those of others within a second.
   * @throws Error when it is damaged
   */
  get(bucket: string): BucketConfiguration | Promise<BucketConfiguration> {
    const kept = this.#kept.get(bucket);
    if (kept?.changes === this.#changes.value && performance.now() - kept.looked < trusted) return kept.value;
    return this.read(bucket);
  }

  /** The same as it stands in the drive. */
  async read(bucket: string): Promise<BucketConfiguration> {
    const changes = this.#changes.value;
    const looked = performance.now();
    return translate(async () => {
      const path = pathOf(bucket);
      const before = this.#kept.get(bucket);
      const keep = (file: { id: string; modified: number } | undefined, value: BucketConfiguration) => {
        if (!before && this.#kept.size >= most) this.#kept.delete(this.#kept.keys().next().value as string);
        this.#kept.set(bucket, { id: file?.id, modified: file?.modified, value, changes, looked });
        return value;
      };
      const entry = await this.#drive.stat(path);
      if (entry && before?.id === entry.id && before.modified === entry.modified)
        return keep(entry, before.value);
      const file = entry && (await this.#drive.open(path));
      if (!file) return keep(undefined, noConfiguration);
      try {
        const { size } = file.described.entry;
        return keep(file.described.entry, parse((await file.readBytes(0, size)).toString(), path));
      } finally {
        await file.close();
      }
    });
  }

  async write(bucket: string, value: BucketConfiguration): Promise<void> {
    await translate(async () => {
      const file = await this.#drive.create(pathOf(bucket));
      try {
        await file.write(Buffer.from(JSON.stringify(value)));
        await file.commit("");
      } catch (error) {
        await file.discard();
        throw error;
      }
    });
    this.#changes.increase();
  }

  /** @returns false when there was none. */
  async remove(bucket: string): Promise<boolean> {
    const removed = await this.#drive.remove(pathOf(bucket));
    this.#changes.increase();
    return removed;
  }
}
