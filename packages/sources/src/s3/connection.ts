import type { S3Client } from "@aws-sdk/client-s3";
import { SqlError } from "../error.ts";
import type { Change, Connection, Options, Table, TableDefinition } from "../source.ts";
import { Bucket } from "./bucket/bucket.ts";
import { openClient } from "./client.ts";
import { FileTable } from "./files/table.ts";
import { parseUri } from "./files/uri.ts";
import { commit } from "./listing/commit.ts";
import { ListingTable } from "./listing/table.ts";
import { readSettings, type Settings } from "./options.ts";

/** Nothing is sent: S3 knows no session, and each request brings its own keys. */
export const openConnection = (options: Options): Connection => new S3Connection(readSettings(options));

class S3Connection implements Connection {
  readonly #settings: Settings;
  readonly #client: S3Client;
  readonly #buckets = new Map<string, Bucket>();

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#client = openClient(settings);
  }

  table(definition: TableDefinition): Table {
    const { name, options } = definition;
    if (options.format !== undefined || options.uri !== undefined) return this.#fileTable(definition);
    const bucket = options.bucket ?? this.#settings.bucket;
    if (!bucket)
      throw new SqlError("HV00D", `table "${name}" has no bucket`, {
        hint: "give the option bucket, of the server or the table",
      });
    return new ListingTable(definition, this.#bucket(bucket));
  }

  async commit(changes: readonly Change[], signal: AbortSignal): Promise<void> {
    await commit(changes, signal);
  }

  #fileTable(definition: TableDefinition): Table {
    const { name, options } = definition;
    if (options.format === undefined || options.uri === undefined)
      throw new SqlError("HV00D", `table "${name}" needs format and uri together`, {
        hint: "give both for the rows inside of files, neither for a listing",
      });
    const uri = parseUri(options.uri);
    return new FileTable(definition, uri, this.#bucket(uri.bucket));
  }

  #bucket(name: string): Bucket {
    let bucket = this.#buckets.get(name);
    if (!bucket) {
      bucket = new Bucket(this.#client, this.#settings, name);
      this.#buckets.set(name, bucket);
    }
    return bucket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
  }
}
