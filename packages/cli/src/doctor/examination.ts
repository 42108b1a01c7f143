import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { Gateway } from "../gateway.ts";
import type { Look } from "../remotes/look.ts";

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface ExaminationOptions {
  /** The remote with its path, as people name it. */
  readonly name: string;
  /** Where the gateway is that runs; undefined where one is to be started. */
  readonly endpoint: string | undefined;
  /** Of the environment. */
  readonly keys: Keys | undefined;
  readonly region: string;
  /** Where the remote is configured, for people. @throws Error that says what to do */
  find(): Promise<string>;
  /** @throws Error that says what to do */
  look(): Promise<Look>;
  /** Starts a gateway on a free port of this machine. */
  start(): Promise<{ readonly gateway: Pick<Gateway, "close">; readonly url: string; readonly keys: Keys }>;
}

const timeOut = 30_000;
const payload = "id,label\n1,cat\n2,dog\n3,horse\n";
const key = "datasets/train.csv";
/** How often the drive is looked at until the object is there, a second apart. */
const looks = 5;

/** What is found out about a place and its gateway, one step on the other. */
export class Examination implements AsyncDisposable {
  readonly #options: ExaminationOptions;
  #look: Look | undefined;
  #endpoint: string | undefined;
  #gateway: Pick<Gateway, "close"> | undefined;
  #answers = false;
  #keys: Keys | undefined;
  #client: S3Client | undefined;

  constructor(options: ExaminationOptions) {
    this.#options = options;
    this.#keys = options.keys;
  }

  /** The endpoint as the checklist shows it. */
  get shown(): string {
    return this.#options.endpoint ?? "http://localhost:9000";
  }

  findRemote(): Promise<string> {
    return this.#options.find();
  }

  async listFolders(): Promise<string> {
    this.#look = await this.#options.look();
    const folders = await this.#look.folders();
    return `${this.#look.description}: ${enumerate(folders, "folder")}`;
  }

  async findGateway(): Promise<string> {
    const { endpoint, name } = this.#options;
    if (endpoint !== undefined) {
      this.#endpoint = endpoint;
      return `${endpoint}, as --endpoint says`;
    }
    if (!this.#look) throw new Error("first let the remote be reached");
    const { gateway, url, keys } = await this.#options.start();
    this.#gateway = gateway;
    this.#endpoint = url;
    this.#keys = keys;
    return `started on ${url} for this check; for good: overcoat serve s3 ${name} --addr :9000 --auth-key ID,SECRET`;
  }

  async reachGateway(): Promise<string> {
    const endpoint = this.#endpoint;
    if (endpoint === undefined) throw new Error("first let there be a gateway");
    const response = await fetch(endpoint, { signal: AbortSignal.timeout(timeOut) }).catch((error) => {
      const reason = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? error.name;
      throw new Error(
        `${endpoint} does not answer (${reason}): start it by overcoat serve s3 ${this.#options.name} --addr …, or name another by --endpoint`,
      );
    });
    const text = await response.text();
    const code = /<Error>[\s\S]*<Code>(\w+)<\/Code>/.exec(text)?.[1];
    if (response.status < 400)
      throw new Error(`${endpoint} lets in who has no key: start it with --auth-key ID,SECRET`);
    if (!code)
      throw new Error(`${endpoint} answers ${response.status} without S3's XML: is it another program's?`);
    this.#answers = true;
    return `${response.status} ${code}, as XML`;
  }

  async findKeys(): Promise<string> {
    const { keys } = this.#options;
    if (keys) return `the environment has the key ${keys.accessKeyId}`;
    if (this.#keys)
      return "made up for this check; for good: --auth-key ID,SECRET there, AWS_… where clients run";
    throw new Error(
      "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the pair that the gateway was started with",
    );
  }

  async listBuckets(): Promise<string> {
    const client = this.#connect();
    try {
      const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
      return enumerate(Buckets.map(({ Name }) => Name!).sort(), "bucket");
    } catch (error) {
      const advice = "the keys must be those that the gateway was started with";
      throw new Error(`${(error as Error).name}: ${(error as Error).message}; ${advice}`);
    }
  }

  async pointClients(): Promise<string> {
    const endpoint = this.#reachable();
    const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
    const set = AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL;
    if (set && trimmed(set) === trimmed(endpoint)) return `AWS_ENDPOINT_URL is ${set}`;
    if (set && !this.#gateway)
      throw new Error(
        `AWS_ENDPOINT_URL is ${set}: set it to ${endpoint}, or give endpoint_url to each client`,
      );
    return `this check's client was given endpoint_url="${endpoint}", path style; do so, or set AWS_ENDPOINT_URL`;
  }

  /** In a bucket of its own, of which nothing is left. */
  async moveFile(): Promise<string> {
    const client = this.#connect();
    if (!this.#look) throw new Error("first let the remote be reached");
    const bucket = `overcoat-doctor-${randomBytes(4).toString("hex")}`;
    const object = { Bucket: bucket, Key: key };
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    try {
      await client.send(new PutObjectCommand({ ...object, Body: payload, ContentType: "text/csv" }));
      const { Body } = await client.send(new GetObjectCommand(object));
      if ((await Body!.transformToString()) !== payload)
        throw new Error("what came back is not what went up");
      await this.#see([bucket, ...key.split("/")]);
    } finally {
      await client.send(new DeleteObjectCommand(object)).catch(() => {});
      await client.send(new DeleteBucketCommand({ Bucket: bucket }));
    }
    return `${payload.length} bytes went up to ${bucket}/${key}, came back, were seen in the drive, and are removed again`;
  }

  async #see(path: readonly string[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const size = await this.#look!.size(path);
      if (size === payload.length) return;
      if (attempt === looks)
        throw new Error(
          size === undefined
            ? `the object is not in ${this.#options.name}: does the gateway serve another remote or folder?`
            : `the object has ${size} bytes in ${this.#options.name} instead of ${payload.length}`,
        );
      await sleep(1000);
    }
  }

  #reachable(): string {
    if (!this.#answers) throw new Error("first let the gateway answer");
    return this.#endpoint!;
  }

  #connect(): S3Client {
    const endpoint = this.#reachable();
    const credentials = this.#keys;
    if (!credentials) throw new Error("first let there be keys");
    const { region } = this.#options;
    this.#client ??= new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 3 });
    return this.#client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.destroy();
    await this.#gateway?.close(timeOut);
  }
}

const trimmed = (url: string) => url.replace(/\/+$/, "");

function enumerate(names: readonly string[], what: string): string {
  if (names.length === 0) return `no ${what}s yet`;
  const shown = names.slice(0, 8).join(", ");
  return `${names.length} ${what}${names.length === 1 ? "" : "s"}: ${shown}${names.length > 8 ? ", …" : ""}`;
}
