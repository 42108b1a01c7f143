import type { Readable } from "node:stream";
import { GetObjectCommand, HeadBucketCommand, HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { isMissing, sqlError, statusOf } from "../errors.ts";
import type { Settings } from "../options.ts";
import { listObjects, type PageRequest } from "./list-objects.ts";
import { type HeadObject, headObject } from "./object.ts";
import type { Page } from "./page.ts";

/** Prefixes whose counts are remembered. */
const mostCounts = 1000;

/** How many keys a prefix had when it was last listed to its end, for estimates. */
class Counts {
  readonly #counts = new Map<string, number>();

  get(prefix: string): number | undefined {
    return this.#counts.get(prefix);
  }

  set(prefix: string, count: number): void {
    this.#counts.delete(prefix);
    if (this.#counts.size >= mostCounts) this.#counts.delete(this.#counts.keys().next().value!);
    this.#counts.set(prefix, count);
  }
}

/** One bucket, read. Every method @throws SqlError */
export class Bucket {
  readonly #client: S3Client;
  readonly settings: Settings;
  readonly name: string;
  readonly counts = new Counts();

  constructor(client: S3Client, settings: Settings, name: string) {
    this.#client = client;
    this.settings = settings;
    this.name = name;
  }

  /**
   * Whether listings come in no order and take no start: S3 Express One Zone.
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-buckets-overview.html
   */
  get directory(): boolean {
    return this.settings.amazon && this.name.endsWith("--x-s3");
  }

  async list(request: Omit<PageRequest, "bucket">, signal?: AbortSignal): Promise<Page> {
    return this.call(undefined, signal, (client) =>
      listObjects(client, { ...request, bucket: this.name }, signal),
    );
  }

  /** `undefined` when there is no such object. */
  async head(key: string, signal?: AbortSignal): Promise<HeadObject | undefined> {
    return this.call(key, signal, async (client) => {
      try {
        const command = new HeadObjectCommand({ Bucket: this.name, Key: key });
        return headObject(key, await client.send(command, { abortSignal: signal }));
      } catch (error) {
        // The answer to HEAD has no body that would tell the reason.
        if (statusOf(error) === 403 || statusOf(error) === 400)
          await this.list({ prefix: key, most: 1 }, signal);
        if (!isMissing(error)) throw error;
        await this.#mustExist(signal);
        return undefined;
      }
    });
  }

  /**
   * The bytes from `start` to before `end`; `undefined` when there is no such object.
   * @throws SqlError 40001 when the object has another ETag
   */
  async get(
    key: string,
    range: { readonly start?: number; readonly end?: number; readonly etag?: string },
    signal?: AbortSignal,
  ): Promise<{ readonly object: HeadObject; readonly body: Readable } | undefined> {
    const { start, end, etag } = range;
    return this.call(key, signal, async (client) => {
      try {
        const command = new GetObjectCommand({
          Bucket: this.name,
          Key: key,
          ...((start !== undefined || end !== undefined) && {
            Range: `bytes=${start ?? 0}-${end === undefined ? "" : end - 1}`,
          }),
          ...(etag && { IfMatch: `"${etag}"` }),
        });
        const output = await client.send(command, { abortSignal: signal });
        return { object: headObject(key, output), body: output.Body as Readable };
      } catch (error) {
        if (!isMissing(error)) throw error;
        if (!etag) return undefined;
        throw error;
      }
    });
  }

  /** An address that lets anybody read the object for so many seconds. */
  async signedUrl(key: string, expiresIn: number): Promise<string> {
    const command = new GetObjectCommand({ Bucket: this.name, Key: key });
    return this.call(key, undefined, (client) => getSignedUrl(client, command, { expiresIn }));
  }

  /** Reads a body to its end. */
  async read(body: Readable, key: string, signal?: AbortSignal): Promise<Buffer> {
    return this.call(key, signal, async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of body) chunks.push(chunk);
      return Buffer.concat(chunks);
    });
  }

  /** Runs a request and puts its errors into SQL's terms. */
  async call<Result>(
    key: string | undefined,
    signal: AbortSignal | undefined,
    request: (client: S3Client) => Promise<Result>,
  ): Promise<Result> {
    signal?.throwIfAborted();
    try {
      return await request(this.#client);
    } catch (error) {
      signal?.throwIfAborted();
      throw sqlError(error, this.settings, { bucket: this.name, key });
    }
  }

  /** Found once is enough: a bucket that goes away while its objects are looked up has none either. */
  #found = false;

  async #mustExist(signal?: AbortSignal): Promise<void> {
    if (this.#found) return;
    try {
      await this.#client.send(new HeadBucketCommand({ Bucket: this.name }), { abortSignal: signal });
    } catch (error) {
      if (isMissing(error)) throw Object.assign(new Error("NoSuchBucket"), { name: "NoSuchBucket" });
      throw error;
    }
    this.#found = true;
  }
}
