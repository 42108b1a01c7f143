import { openTestGateway } from "../../../packages/sources/src/s3/testing.ts";
import { literal } from "./conditions.ts";
import { makeFiles } from "./s3-files.ts";
import type { Comparable, ComparedService } from "./service.ts";
import type { ComparedTable, LocalRow } from "./table.ts";

const prefixes = ["a/", "a/b/", "a-", "é/", "Z", "x y/", "O'Neil/", "100%/", "a_b/", "日本+&/"];
const types = ["text/plain", "image/png", "application/json"];

/** Sizes are those from 0 up, in the order of the keys. */
const keys = Array.from(
  { length: 120 },
  (_, n) => `${prefixes[n % prefixes.length]}${n % 3 === 0 ? "x y" : "😀"}${n}`,
);

/** What a listing tells, without a request for each object. */
const listing = (rows: readonly LocalRow[]): ComparedTable => {
  const samples = (name: string) => [...new Set(rows.slice(0, 12).map((row) => row[name]!))];
  return {
    key: "filename",
    unique: "size",
    groups: ["folder", "storage_class"],
    columns: [
      { name: "filename", type: "text", samples: [...samples("filename"), "a", "b", ""] },
      { name: "size", type: "bigint", samples: ["0", "1", "17", "50", "120", "500", "-1"] },
      { name: "etag", type: "text", samples: [...samples("etag"), "x"] },
      {
        name: "last_modified",
        type: "timestamp with time zone",
        samples: [...samples("last_modified"), "2024-02-29 12:00:00+00", "2999-12-31 23:59:59.5+00"],
      },
      { name: "storage_class", type: "text", samples: ["STANDARD", "GLACIER"] },
      { name: "bucket", type: "text", samples: ["listed", "Listed"] },
      { name: "metadata", type: "jsonb", samples: [...samples("metadata"), '{"storage_class": "STANDARD"}'] },
      {
        name: "folder",
        type: "text",
        samples: ["a", "é", "O'Neil", "none"],
        computed: "split_part(filename, '/', 1)",
      },
    ],
  };
};

const texts = ["", "Hello", "two\nlines", "é 日本 😀", "O'Neil \\ 100%"];
const userMetadata = ["{}", '{"author": "Ann"}', '{"author": "Zoë 😀", "n": "1"}'];

/** What is stored with an object, and in it: a request for each. */
const objects: ComparedTable = {
  key: "filename",
  unique: "length",
  groups: ["content_type"],
  columns: [
    { name: "filename", type: "text", samples: ["o/0", "o/3", "é/7", "x y/5", "o/none"] },
    { name: "content", type: "text", samples: texts },
    { name: "content_type", type: "text", samples: [...types, "text/csv"] },
    { name: "user_metadata", type: "jsonb", samples: userMetadata },
    {
      name: "length",
      type: "integer",
      samples: ["0", "3", "8", "17", "100"],
      computed: "length(content)",
    },
  ],
};

const folders = ["o", "é", "x y"];
const objectRows: readonly LocalRow[] = Array.from({ length: 9 }, (_, n) => ({
  filename: `${folders[n % folders.length]}/${n}`,
  content: [...`${texts[n % texts.length]!}${"-".repeat(n)}`].slice(0, n).join(""),
  content_type: types[n % types.length]!,
  user_metadata: userMetadata[n % 2]!,
}));

export const s3: Comparable = {
  tables: { listing: 0.4, objects: 0.02, csv: 0.15, jsonl: 0.15, parquet: 0.15, lines: 0.13 },
  written: { objects: 0.25 },
  async open(): Promise<ComparedService> {
    const gateway = await openTestGateway();
    const store = gateway.objects;
    for (const bucket of ["data", "listed", "written"]) await store.createBucket(bucket);
    const files = makeFiles();
    for (const { objects } of files)
      for (const [key, body] of Object.entries(objects)) await store.putObject("data", key, body);
    await Promise.all(keys.map((key, size) => store.putObject("listed", key, "x".repeat(size))));
    const listed = (await store.listObjects("listed")).objects.map(({ key, size, etag, modified }) => {
      const last_modified = `${new Date(modified).toISOString().slice(0, 19)}Z`;
      const told = { size, etag, last_modified, storage_class: "STANDARD" };
      return {
        ...told,
        filename: key,
        size: String(size),
        bucket: "listed",
        metadata: JSON.stringify(told),
      };
    });
    const fill = async () => {
      const { objects } = await store.listObjects("written");
      await Promise.all(objects.map(({ key }) => store.deleteObject("written", key)));
      await Promise.all(
        objectRows.map(({ filename, content, content_type, user_metadata }) =>
          store.putObject("written", filename!, content!, {
            metadata: {
              headers: { "content-type": content_type! },
              user: JSON.parse(user_metadata!),
            },
          }),
        ),
      );
    };
    await fill();
    const table = (options: string) =>
      `CREATE FOREIGN TABLE {t} ({columns}) SERVER s3_server OPTIONS (${options})`;
    return {
      servers: `CREATE SERVER s3_server FOREIGN DATA WRAPPER s3_fdw OPTIONS (endpoint '${gateway.endpoint}',
        access_key_id 'test-access', secret_access_key 'test-secret')`,
      tables: [
        { name: "listing", table: listing(listed), rows: listed, foreign: table("bucket 'listed'") },
        {
          name: "objects",
          table: objects,
          rows: objectRows,
          foreign: table("bucket 'written'"),
          changes: {
            settable: {
              filename: "not null",
              content: "not null",
              content_type: "samples",
              user_metadata: "samples",
            },
            insert: (random, number) => ({
              filename: `'new/${number}'`,
              content: literal(random.pick(texts)),
              content_type: literal(random.pick(types)),
              user_metadata: `${literal(random.pick(userMetadata))}::jsonb`,
            }),
            fill,
          },
        },
        ...files.map(({ twice }) => twice),
      ],
      [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
    };
  },
};
