/** A multipart upload that a later visit can go on with. */
export interface Unfinished {
  readonly uploadId: string;
  /** As Uppy names it. */
  readonly key: string;
}

const storageKey = "overcoat-unfinished-uploads";
/** The oldest are forgotten. */
const most = 200;

type Entries = readonly (readonly [string, Unfinished])[];

function read(): Entries {
  try {
    return JSON.parse(localStorage.getItem(storageKey) ?? "[]");
  } catch {
    return [];
  }
}

/** What tells a file on this machine from others, and where it goes. */
const nameOf = (id: string, { size, lastModified }: File) => `${id}\n${size}\n${lastModified}`;

/** The upload of the same file to the same place that was begun before, if one was. */
export const findUnfinished = (id: string, file: File): Unfinished | undefined =>
  read().find(([name]) => name === nameOf(id, file))?.[1];

/** Keeps an upload in mind; without one, forgets what there was. */
export function keepUnfinished(id: string, file: File, upload?: Unfinished): void {
  const name = nameOf(id, file);
  const before = read();
  const others = before.filter(([other]) => other !== name);
  if (!upload && others.length === before.length) return;
  const all = upload ? [...others, [name, upload] as const] : others;
  try {
    localStorage.setItem(storageKey, JSON.stringify(all.slice(-most)));
  } catch {
    // It is full, or the reader allows none: a later visit begins anew.
  }
}
