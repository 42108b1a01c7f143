import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  RenameObjectCommand,
} from "@aws-sdk/client-s3";
import { messageOf } from "../checks.ts";
import { patiently, storageClient } from "./client.ts";
import { keysUnder } from "./listing.ts";

/** Objects by their keys, and folders by their prefixes with all that is in them. */
export interface Selection {
  readonly keys: readonly string[];
  readonly folders: readonly string[];
}

export interface Changed {
  /** Objects that were changed. */
  readonly done: number;
  /** Those that were not, and why. */
  readonly failures: readonly { readonly key: string; readonly message: string }[];
  /** Whether there were more, which are as they were. */
  readonly isPart: boolean;
}

/** Objects that are changed at once. */
const most = 10_000;
/** Of DeleteObjects. */
const mostDeleted = 1000;
const atOnce = 8;

async function keysOf(bucket: string, { keys, folders }: Selection) {
  const all = [...keys];
  for (const folder of folders) all.push(...(await keysUnder(bucket, folder, most + 1 - all.length)));
  return { keys: all.slice(0, most), isPart: all.length > most };
}

/** Deletes objects. */
export async function deleteSelection(bucket: string, selection: Selection): Promise<Changed> {
  const client = await storageClient();
  const { keys, isPart } = await keysOf(bucket, selection);
  const failures: { key: string; message: string }[] = [];
  for (let at = 0; at < keys.length; at += mostDeleted) {
    const Objects = keys.slice(at, at + mostDeleted).map((Key) => ({ Key }));
    const { Errors = [] } = await client.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
      patiently,
    );
    failures.push(...Errors.map(({ Key: key = "", Message: message = "" }) => ({ key, message })));
  }
  return { done: keys.length - failures.length, failures, isPart };
}

/** Where a selection of one folder goes. */
export interface Transfer {
  readonly how: "copy" | "move";
  readonly from: { readonly bucket: string; readonly prefix: string };
  readonly to: { readonly bucket: string; readonly prefix: string };
}

/** Copies or moves objects, on the server's side; what is there already is not replaced. */
export async function transferSelection(transfer: Transfer, selection: Selection): Promise<Changed> {
  const { from, to } = transfer;
  const around = selection.folders.find(
    (folder) => from.bucket === to.bucket && to.prefix.startsWith(folder),
  );
  if (around !== undefined) throw new Error(`The folder ${around} cannot go into itself.`);
  const { keys, isPart } = await keysOf(from.bucket, selection);
  const failures: { key: string; message: string }[] = [];
  const left = keys.values();
  const work = async () => {
    for (const key of left)
      await transferObject(
        transfer.how,
        { bucket: from.bucket, key },
        { bucket: to.bucket, key: to.prefix + key.slice(from.prefix.length) },
      ).catch((error: unknown) => failures.push({ key, message: messageOf(error) }));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return { done: keys.length - failures.length, failures, isPart };
}

interface Name {
  readonly bucket: string;
  readonly key: string;
}

/** Copies or moves one object. @throws Error where there is one of this name */
export async function transferObject(how: Transfer["how"], from: Name, to: Name): Promise<void> {
  if (from.bucket === to.bucket && from.key === to.key) throw new Error("It is there already.");
  try {
    if (how === "copy") await copyObject(from, to);
    else if (from.bucket === to.bucket) await renameObject(from, to);
    else await moveAcross(from, to);
  } catch (error) {
    if ((error as Error).name !== "PreconditionFailed") throw error;
    throw new Error("There is an object of this name already.", { cause: error });
  }
}

async function copyObject(from: Name, to: Name, etag?: string): Promise<void> {
  await (await storageClient()).send(
    new CopyObjectCommand({
      Bucket: to.bucket,
      Key: to.key,
      CopySource: copySource(from),
      CopySourceIfMatch: etag,
      IfNoneMatch: "*",
    }),
    patiently,
  );
}

async function renameObject({ bucket, key }: Name, to: Name): Promise<void> {
  await (await storageClient()).send(
    new RenameObjectCommand({
      Bucket: bucket,
      Key: to.key,
      RenameSource: encodeKey(key),
      DestinationIfNoneMatch: "*",
    }),
    patiently,
  );
}

/** What is deleted is what was copied, though somebody writes meanwhile. */
async function moveAcross(from: Name, to: Name): Promise<void> {
  const client = await storageClient();
  const object = { Bucket: from.bucket, Key: from.key };
  const { ETag } = await client.send(new HeadObjectCommand(object));
  await copyObject(from, to, ETag);
  await client.send(new DeleteObjectCommand({ ...object, IfMatch: ETag }), patiently);
}

/** An object as the source of a copy. */
export const copySource = ({ bucket, key }: Name) => `${bucket}/${encodeKey(key)}`;

const encodeKey = (key: string) => key.split("/").map(encodeURIComponent).join("/");
