"use server";

import { z } from "zod";
import { messageOf } from "@/lib/server/checks";
import { requireSession } from "@/lib/server/session";
import {
  type Changed,
  deleteSelection,
  type Selection,
  type Transfer,
  transferObject,
  transferSelection,
} from "@/lib/server/storage/change";
import { listBuckets } from "@/lib/server/storage/listing";
import { type Place, readingUrl } from "@/lib/server/storage/urls";
import { restoreVersion } from "@/lib/server/storage/versions";

const bucket = z.string().min(1).max(255);
const key = z.string().min(1).max(1024);
const selected = z.object({ keys: z.array(key).max(1000), folders: z.array(key).max(1000) });
const folder = z.object({ bucket, prefix: z.string().max(1024) });
const transfer = z.object({ how: z.enum(["copy", "move"]), from: folder, to: folder });
const object = z.object({ bucket, key });

/** What was done, or what went wrong. */
export type Outcome<T> = T | { readonly error: string };

async function outcome<T>(run: () => Promise<T>): Promise<Outcome<T>> {
  await requireSession();
  try {
    return await run();
  } catch (error) {
    return { error: error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error) };
  }
}

export const deleteObjects = async (from: string, selection: Selection): Promise<Outcome<Changed>> =>
  outcome(() => deleteSelection(bucket.parse(from), selected.parse(selection)));

export const transferObjects = async (way: Transfer, selection: Selection): Promise<Outcome<Changed>> =>
  outcome(() => transferSelection(transfer.parse(way), selected.parse(selection)));

type Name = z.infer<typeof object>;

/** @returns what went wrong, if something did */
export async function transferOne(
  how: Transfer["how"],
  from: Name,
  to: Name,
): Promise<Outcome<{ done: true }>> {
  return outcome(async () => {
    await transferObject(transfer.shape.how.parse(how), object.parse(from), object.parse(to));
    return { done: true };
  });
}

/** Makes an earlier content of an object the present one. */
export async function restoreObject(version: Required<Place>): Promise<Outcome<{ done: true }>> {
  return outcome(async () => {
    await restoreVersion(object.extend({ version: z.string().min(1) }).parse(version));
    return { done: true };
  });
}

/** Where things may be copied to. */
export const bucketNames = async (): Promise<Outcome<{ names: string[] }>> =>
  outcome(async () => ({ names: (await listBuckets()).map(({ name }) => name) }));

const week = 7 * 24 * 3600;

/** A URL by which anybody may read an object for some seconds, a week at most. */
export async function shareObject(place: Name, seconds: number): Promise<Outcome<{ url: string }>> {
  return outcome(async () => ({
    url: await readingUrl(object.parse(place), z.int().min(1).max(week).parse(seconds)),
  }));
}
