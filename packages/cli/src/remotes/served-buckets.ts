import { readFile, rename, writeFile } from "node:fs/promises";
import { validBucketName } from "@overcoat/objects";
import { z } from "zod";
import { RunError } from "../errors.ts";
import type { DrivePlace, Place } from "./place.ts";

export interface ServedBucketsOptions {
  /** Those that are served from the start. */
  readonly buckets: Readonly<Record<string, Place>>;
  /** Where those that are added are kept for the next start: bucket name to `remote:`, as JSON. */
  readonly file: string;
  /** What `remote:` stands for now. @throws UsageError, RunError */
  resolve(text: string): Promise<Place>;
  /** Has the gateway serve it. @throws RunError */
  map(bucket: string, place: Place): Promise<void>;
  /** Hears why a bucket of an earlier run is not served. */
  onError(message: string): void;
}

const schema = z.record(z.string(), z.string());

/** Buckets that lead elsewhere than to a folder of the remote that is served, and those that are added meanwhile. */
export class ServedBuckets {
  readonly #options: ServedBucketsOptions;
  readonly #places: Map<string, Place>;
  #kept: Record<string, string> = {};

  constructor(options: ServedBucketsOptions) {
    this.#options = options;
    this.#places = new Map(Object.entries(options.buckets));
  }

  get all(): readonly (readonly [bucket: string, place: Place])[] {
    return [...this.#places];
  }

  /** The buckets that a remote is served as, or a folder of it. */
  of(remote: string): { readonly bucket: string; readonly place: DrivePlace }[] {
    return this.all.flatMap(([bucket, place]) =>
      place.kind === "drive" && place.remote.name === remote ? [{ bucket, place }] : [],
    );
  }

  /**
   * Whether a remote is served with other keys than it has now: another client, another drive. Its token alone is
   * taken up as it is.
   */
  async isOutdated(remote: string): Promise<boolean> {
    const now = await this.#options.resolve(`${remote}:`);
    return this.of(remote).some(({ place }) => now.kind === "drive" && keysOf(place) !== keysOf(now));
  }

  /** Serves the buckets that earlier runs kept; what cannot be served is told, and kept. */
  async restore(): Promise<void> {
    const { file, onError } = this.#options;
    try {
      this.#kept = schema.parse(JSON.parse(await readFile(file, "utf8")));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT")
        onError(`${file} cannot be read, so its buckets are not served: ${(error as Error).message}`);
      return;
    }
    for (const [bucket, text] of Object.entries(this.#kept))
      await this.#map(bucket, text).catch((error: Error) =>
        onError(`the bucket ${bucket} of ${file} is not served: ${error.message}`),
      );
  }

  /**
   * Serves a remote as a bucket of nearly its name, from now on and after each start.
   * @returns the bucket
   * @throws RunError where it cannot be served
   */
  async add(remote: string): Promise<string> {
    const [served] = this.of(remote);
    if (served) return served.bucket;
    const bucket = bucketName(remote);
    await this.#map(bucket, `${remote}:`);
    this.#kept = { ...this.#kept, [bucket]: `${remote}:` };
    const { file } = this.#options;
    await writeFile(`${file}.new`, `${JSON.stringify(this.#kept, null, 2)}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
    return bucket;
  }

  async #map(bucket: string, text: string): Promise<void> {
    const place = await this.#options.resolve(text);
    await this.#options.map(bucket, place);
    this.#places.set(bucket, place);
  }
}

const keysOf = ({ remote: { options } }: DrivePlace) =>
  JSON.stringify(
    Object.entries(options)
      .filter(([key, value]) => key !== "token" && value !== "")
      .sort(),
  );

/** A bucket's name that is like a remote's. @throws RunError where there is none */
export function bucketName(remote: string): string {
  const name = remote
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, "-")
    .replace(/^[-.]+|[-.]+$/g, "");
  if (validBucketName(name)) return name;
  throw new RunError(
    `${remote}: cannot be served, as no bucket can have such a name: give the remote one of 3 to 63 letters, digits and dashes`,
  );
}
