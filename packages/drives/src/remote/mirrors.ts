import { resolve } from "node:path";
import { Mirror } from "./mirror.ts";
import type { Traits } from "./vendor.ts";

interface Opened {
  readonly mirror: Mirror;
  users: number;
  closing: Promise<void> | undefined;
}

/** The mirrors that are open here, by their folders. */
const opened = new Map<string, Opened>();

/**
 * The mirror in a folder, to be closed by `closeMirror` by everyone who opens it. A process has it open once, as one
 * that waits for the store would keep itself waiting for ever.
 */
export async function openMirror(folder: string, traits: Traits): Promise<Mirror> {
  const path = resolve(folder);
  for (let known = opened.get(path); known; known = opened.get(path)) {
    if (!known.closing) {
      known.users++;
      return known.mirror;
    }
    await known.closing;
  }
  const mirror = new Mirror(path, traits);
  opened.set(path, { mirror, users: 1, closing: undefined });
  return mirror;
}

/** Closes it once nobody here uses it any more. */
export async function closeMirror({ folder }: Mirror): Promise<void> {
  const known = opened.get(folder)!;
  if (--known.users > 0) return;
  known.closing = known.mirror.close().finally(() => opened.delete(folder));
  await known.closing;
}
