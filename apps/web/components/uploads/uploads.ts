import type { Uppy, UppyFile } from "@uppy/core";
import { sign } from "./sign";
import { findUnfinished, keepUnfinished } from "./unfinished";

/** An upload of this visit. */
export interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly sent: number;
  readonly state: "waiting" | "sending" | "paused" | "done" | "taken" | "failed";
  /** What went wrong. */
  readonly error?: string;
}

/** A file, and the name that it has within the folder it goes to. */
export interface Chosen {
  readonly file: File;
  readonly path: string;
}

/** `target` is the bucket and the key with a slash between them: the file's id for Uppy and its key. */
type Meta = { target: string; replace?: boolean; code?: string };
type Uploader = Uppy<Meta, Record<string, never>>;
type Uploaded = UppyFile<Meta, Record<string, never>>;

/** Bytes from which files go in parts, and bytes of a part. */
const partSize = 8 * 1024 ** 2;
/** Milliseconds between two looks at the progress. */
const pace = 200;

let uploader: Promise<Uploader> | undefined;
let uploads: readonly Upload[] = [];
let isStale = false;
const listeners = new Set<() => void>();
const finished = new Set<(bucket: string) => void>();

/** The uploads of this visit, for `useSyncExternalStore`. */
export const currentUploads = () => uploads;

export function onUploads(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Calls back when files have arrived in a bucket. */
export function onArrival(listener: (bucket: string) => void): () => void {
  finished.add(listener);
  return () => finished.delete(listener);
}

/** Uploads files into a folder, straight to the gateway; they go on while the reader looks at other pages. */
export async function upload(bucket: string, prefix: string, chosen: readonly Chosen[]): Promise<void> {
  uploader ??= openUploader();
  const uppy = await uploader.catch((error: unknown) => {
    // The next attempt loads it anew.
    uploader = undefined;
    throw error;
  });
  uppy.addFiles(
    chosen.map(({ file, path }) => ({
      name: file.name,
      type: file.type,
      data: file,
      meta: { target: `${bucket}/${prefix}${path}` },
    })),
  );
}

export async function pauseOrResume(id: string): Promise<void> {
  (await uploader)?.pauseResume(id);
}

/** Tries again; `replace` allows that an object of this name is overwritten. */
export async function retry(id: string, replace = false): Promise<void> {
  const uppy = await uploader;
  if (!uppy?.getFile(id)) return;
  if (replace) uppy.setFileMeta(id, { target: id, replace });
  await uppy.retryUpload(id);
}

/** Ends an upload, with what is stored of its parts; one that is done is only taken off the list. */
export async function remove(ids: readonly string[]): Promise<void> {
  const uppy = await uploader;
  for (const id of ids) {
    const file = uppy?.getFile(id);
    // What fails is no more Uppy's.
    if (file?.error) await abort(file).catch(() => undefined);
  }
  uppy?.removeFiles(ids.filter((id) => uppy.getFile(id)));
}

async function abort({ id, s3Multipart }: Uploaded): Promise<void> {
  if (!s3Multipart) return;
  const { uploadId } = s3Multipart;
  const { url } = await sign({ method: "DELETE", ...placeOf(id), uploadId, replace: false });
  await fetch(url, { method: "DELETE", signal: AbortSignal.timeout(60_000) });
}

const placeOf = (id: string) => {
  const slash = id.indexOf("/");
  return { bucket: id.slice(0, slash), key: id.slice(slash + 1) };
};

async function openUploader(): Promise<Uploader> {
  const [{ default: UppyClass }, { default: AwsS3 }] = await Promise.all([
    import("@uppy/core"),
    import("@uppy/aws-s3"),
  ]);
  const uppy: Uploader = new UppyClass<Meta, Record<string, never>>({
    autoProceed: true,
    // The panel tells what goes wrong.
    logger: { debug: () => {}, warn: () => {}, error: () => {} },
    onBeforeFileAdded(file, files) {
      const id = file.meta.target;
      const before = files[id];
      // Not twice at the same time.
      if (before && !before.error && !before.progress.uploadComplete) return false;
      return { ...file, id, s3Multipart: findUnfinished(id, file.data as File) } as typeof file;
    },
  });
  uppy.use(AwsS3, {
    shouldUseMultipart: ({ size }) => (size ?? 0) > partSize,
    getChunkSize: ({ size }) => Math.max(partSize, Math.ceil(size / 10_000)),
    allowedMetaFields: false,
    generateObjectKey: ({ id }) => id,
    signRequest({ method, key: id, ...more }) {
      const { uploadId, partNumber } = more as { uploadId?: string; partNumber?: number };
      // One that was removed is no more known when its parts are deleted.
      const replace = uppy.getFile(id)?.meta.replace ?? false;
      return sign({ method, ...placeOf(id), uploadId, partNumber, replace });
    },
  });
  uppy.on("s3-multipart:part-uploaded", ({ id }) => {
    const file = uppy.getFile(id);
    if (file) keepUnfinished(id, file.data as File, file.s3Multipart);
  });
  uppy.on("upload-success", (file) => file && keepUnfinished(file.id, file.data as File));
  uppy.on("file-removed", (file) => keepUnfinished(file.id, file.data as File));
  uppy.on("upload-error", (file, error) => {
    if (!file) return;
    const { code } = error as { code?: string };
    uppy.setFileMeta(file.id, { target: file.id, code });
    // It has expired: the next attempt begins anew.
    if (code !== "NoSuchUpload") return;
    keepUnfinished(file.id, file.data as File);
    uppy.setFileState(file.id, { s3Multipart: undefined });
  });
  uppy.on("complete", ({ successful = [] }) => {
    for (const bucket of new Set(successful.map(({ id }) => placeOf(id).bucket)))
      for (const listener of finished) listener(bucket);
  });
  uppy.store.subscribe(() => {
    if (isStale) return;
    isStale = true;
    setTimeout(() => {
      isStale = false;
      uploads = uppy.getFiles().map(shown);
      for (const listener of listeners) listener();
    }, pace);
  });
  return uppy;
}

function shown(file: Uploaded): Upload {
  const { id, progress, error } = file;
  const size = file.size ?? 0;
  const state = stateOf(file);
  const sent = state === "done" ? size : progress.bytesUploaded || 0;
  return { id, ...placeOf(id), size, sent, state, ...(error && { error }) };
}

function stateOf({ meta, progress, error, isPaused }: Uploaded): Upload["state"] {
  if (progress.uploadComplete) return "done";
  if (error) return meta.code === "PreconditionFailed" ? "taken" : "failed";
  if (isPaused) return "paused";
  return progress.uploadStarted ? "sending" : "waiting";
}
