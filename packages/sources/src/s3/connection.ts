import type { S3Client } from "@aws-sdk/client-s3";
import { SqlError } from "../error.ts";
import type { Change, Connection, Options, Table, TableDefinition } from "../source.ts";
import { Bucket } from "./bucket/bucket.ts";
import { openClient } from "./client.ts";
import { FileTable } from "./files/table.ts";
import { parseUri } from "./files/uri.ts";
import { fileOptions, fileUri, readSchema } from "./imported/remote.ts";
import { importedTables } from "./imported/tables.ts";
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
    const { name, options, remote } = definition;
    if (options.format !== undefined && options.uri !== undefined) {
      const uri = parseUri(options.uri);
      return new FileTable(definition, options, uri, this.#bucket(uri.bucket));
    }
    if (remote) return this.#imported(definition, remote);
    if (options.format !== undefined || options.uri !== undefined)
      throw new SqlError("HV00D", `table "${name}" needs format and uri together`, {
        hint: "give both for the rows inside of files, neither for a listing",
      });
    const bucket = options.bucket ?? this.#settings.bucket;
    if (!bucket)
      throw new SqlError("HV00D", `table "${name}" has no bucket`, {
        hint: "give the option bucket, of the server or the table",
      });
    return new ListingTable(definition, options, this.#bucket(bucket));
  }

  /** A table of `tables`, whose schema and name say what it is. */
  #imported(definition: TableDefinition, remote: NonNullable<TableDefinition["remote"]>): Table {
    const { options } = definition;
    const schema = readSchema(remote.schema);
    if (schema && remote.name === schema.listing)
      return new ListingTable(definition, { prefix: schema.prefix, ...options }, this.#bucket(schema.bucket));
    const file = schema && fileOptions(remote.name);
    if (!file)
      throw new SqlError(
        "42P01",
        `no bucket offers a table "${remote.name}" in a schema "${remote.schema}"`,
        {
          hint: "IMPORT FOREIGN SCHEMA tells which there are",
        },
      );
    const uri = fileUri(schema, remote.name);
    return new FileTable(
      definition,
      { ...file, filename_column: "", ...options },
      uri,
      this.#bucket(uri.bucket),
    );
  }

  async tables(schema: string, names?: readonly string[], signal?: AbortSignal) {
    const remote = readSchema(schema);
    if (!remote) return undefined;
    const bucket = this.#bucket(remote.bucket);
    try {
      return await importedTables(bucket, remote, schema, names, signal ?? new AbortController().signal);
    } catch (error) {
      if (error instanceof SqlError && error.sqlState === "42P01") return undefined;
      throw error;
    }
  }

  async commit(changes: readonly Change[], signal: AbortSignal): Promise<void> {
    await commit(changes, signal);
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
