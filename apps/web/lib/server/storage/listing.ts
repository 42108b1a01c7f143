import { ListBucketsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { programStatus } from "../admin.ts";
import { storageClient } from "./client.ts";

export interface ListedBucket {
  readonly name: string;
  readonly created?: Date;
  /** The remote that it is on, as people call it; undefined where that is not known. */
  readonly place?: string;
}

/** All buckets, with the remotes that they are on. */
export async function listBuckets(): Promise<ListedBucket[]> {
  const [{ Buckets = [] }, { remotes }] = await Promise.all([
    (await storageClient()).send(new ListBucketsCommand()),
    programStatus().catch(() => ({ remotes: [] })),
  ]);
  return Buckets.map(({ Name: name = "", CreationDate: created }) => {
    // A bucket that is mapped to a place has its name; all others are folders of the first.
    const remote = remotes.slice(1).find((one) => one.name === name) ?? remotes[0];
    // Dropbox does not keep when a folder was made.
    return {
      name,
      created: created?.getTime() ? created : undefined,
      place: remote && `${remote.kind} · ${remote.path}`,
    };
  });
}

export interface ListedObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly modified?: Date;
}

export interface FolderPage {
  /** Prefixes, each with a slash at its end. */
  readonly folders: readonly string[];
  readonly objects: readonly ListedObject[];
  /** The token of the next page, if there is one. */
  readonly next?: string;
}

const pageSize = 100;

/** A page of what is directly in a folder, the objects that stand for folders left out. */
export async function listFolder(bucket: string, prefix: string, after?: string): Promise<FolderPage> {
  const {
    Contents = [],
    CommonPrefixes = [],
    NextContinuationToken,
  } = await (await storageClient()).send(
    new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix,
      Delimiter: "/",
      MaxKeys: pageSize,
      ContinuationToken: after,
    }),
  );
  return {
    folders: CommonPrefixes.map(({ Prefix = "" }) => Prefix),
    objects: Contents.map(({ Key: key = "", Size: size = 0, LastModified: modified }) => ({
      key,
      size,
      modified,
    })).filter(({ key }) => key !== prefix),
    next: NextContinuationToken,
  };
}

/** Keys of all objects that begin so, as many as `most`. */
export async function keysUnder(bucket: string, prefix: string, most: number): Promise<string[]> {
  const client = await storageClient();
  const keys: string[] = [];
  let after: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        MaxKeys: Math.min(1000, most - keys.length),
        ContinuationToken: after,
      }),
    );
    keys.push(...(page.Contents ?? []).map(({ Key = "" }) => Key));
    after = page.NextContinuationToken;
  } while (after && keys.length < most);
  return keys;
}
