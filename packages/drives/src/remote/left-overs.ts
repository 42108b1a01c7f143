import { hiddenFolder, isAside } from "./hidden.ts";
import type { Mirror } from "./mirror.ts";
import type { Properties } from "./properties.ts";
import type { Item } from "./vendor.ts";
import type { Writer } from "./writer.ts";

/** Items that are watched, and those that one sweep removes. */
const mostWatched = 1000;
const mostRemoved = 100;
/** Removed at the same time. */
const atOnce = 4;
/** How often a sweep takes place in the time that an item must have been left over. */
const sweepsInTime = 24;
/** Milliseconds in which changes of the drive are taken in. */
const followed = 600_000;

interface Parts {
  readonly mirror: Mirror;
  readonly writer: Writer;
  readonly properties: Properties;
}

/**
 * Removes from the drive what nobody would any more: sidecars of files that others removed, and files put aside whose
 * process has ended. It goes by what the mirror knows, in one process, and takes a call for each that is removed. An
 * item must have been left over for `olderThan` milliseconds; what cannot be removed is left to the next time.
 * @returns how many
 */
export async function sweepLeftOvers(
  { mirror, writer, properties }: Parts,
  olderThan: number,
): Promise<number> {
  const now = Date.now();
  const every = olderThan / sweepsInTime;
  mirror.refresh();
  // What nobody followed lately may have come back.
  const isKnown = mirror.synced && now - mirror.feed.polled < Math.max(every, followed);
  const before = isKnown ? await mirror.beginSweep(every) : undefined;
  if (!before) return 0;
  const since = new Map<string, number>();
  const due: { path: string; item: Item }[] = [];
  for (const { path, item } of [...asideFiles(mirror), ...(await properties.orphans())].slice(
    0,
    mostWatched,
  )) {
    const first = before.get(item.id) ?? now;
    if (before.has(item.id) && now - first >= olderThan && due.length < mostRemoved) due.push({ path, item });
    since.set(item.id, first);
  }
  await mirror.noteLeftOvers(since);
  let count = 0;
  const work = async () => {
    for (let one = due.pop(); one; one = due.pop()) {
      const { path, item } = one;
      // Only as it was: a file may have come back meanwhile, and with it what is kept beside it.
      if (await writer.remove(path, item, "unchanged").catch(() => false)) count++;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return count;
}

function asideFiles(mirror: Mirror): { path: string; item: Item }[] {
  const { root } = mirror;
  const [folder] = root ? mirror.named(root.id, hiddenFolder) : [];
  if (!folder) return [];
  return [...mirror.children(folder.id)].flat().flatMap(({ id, name, kind }) => {
    const item = kind === "file" && isAside(name) ? mirror.item(id) : undefined;
    return item ? [{ path: `${hiddenFolder}/${name}`, item }] : [];
  });
}
