/** What a listing tells about one name in a folder. */
export interface ListedEntry {
  /** The name in S3's terms: decoded from what the drive had to write instead. */
  readonly name: string;
  readonly kind: "file" | "folder";
}

/** A file or folder as the drive knows it now. */
export interface DriveEntry {
  readonly kind: "file" | "folder";
  /** Bytes; 0 for a folder. */
  readonly size: number;
  /** Milliseconds since 1970, with the drive's own fraction. For a folder it changes when a name in it does. */
  readonly modified: number;
  /** Identity of the item, stable while it is neither replaced nor recreated. */
  readonly id: string;
  /**
   * Of a folder: another text whenever a name in it changed. Undefined where only `id` and `modified` tell, with
   * a clock's coarseness; `null` where nothing does.
   */
  readonly stamp?: string | null;
  /** Of a file: another text whenever its bytes are others, where the drive knows better than `modified`. */
  readonly content?: string;
  /** Of a file: the MD5 of its bytes in hexadecimal digits, where the drive knows it. */
  readonly md5?: string;
}

/** An opened file: all reads see the same bytes, also when the name is replaced meanwhile. Must be closed. */
export interface OpenFile {
  readonly described: DescribedFile;
  /** Bytes `start` to `end` (exclusive) at once: for small answers. */
  readBytes(start: number, end: number): Promise<Buffer> | Buffer;
  /** The same in steps. A chunk is good until the next one is asked for; the file must stay open until then. */
  readChunks(start: number, end: number): AsyncIterable<Buffer>;
  close(): Promise<void> | void;
}

/** What must hold of a path when a file takes it, decided in one step where the drive can. */
export interface WriteConditions {
  /** That no file is there. */
  readonly onlyIfAbsent?: boolean;
  /** That the file there is still this one. */
  readonly unchanged?: DriveEntry;
}

export interface CreateOptions extends WriteConditions {
  /** All bytes that will be written, where that is known: a drive may then send them as they come. */
  readonly size?: number;
}

export interface CommitOptions extends WriteConditions {
  /** Whether the properties follow from the bytes, so that a drive which would pay for them may lose them. */
  readonly derivable?: boolean;
  /** What is to be kept instead where the drive changes the bytes by itself as it stores them. */
  readonly rewritten?: () => string;
}

/** A file being written under a temporary name. Either `commit` or `discard` must follow. */
export interface PendingFile {
  /** Appends; the promise is the back-pressure. The buffer must not change until it settles. */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Makes the file visible at its path in one step, with `properties` stored beside the bytes, creating
   * the folders above. Durable when it settles.
   * @throws DriveError `Exists` or `Changed` by the conditions; `NotAFolder` when an ancestor is a file;
   *   `IsAFolder` when the path is a folder.
   */
  commit(properties: string, options?: CommitOptions): Promise<DriveEntry>;
  discard(): Promise<void>;
}

/** A content of a file that the drive keeps. */
export interface FileVersion {
  /** Means something together with the file only. */
  readonly id: string;
  readonly entry: DriveEntry;
}

/**
 * What a vendor offers, and no more. Paths are relative to the remote, segments joined by `/`, `''` is the
 * root; segments are in S3's terms (any UTF-8 but `/`, never empty) and the drive encodes what it cannot hold.
 */
export interface Drive {
  /** For people: where this is. */
  readonly description: string;
  /** Whether the drive can hold a file or folder of this path. */
  fits(path: string): boolean;
  /** Pages of a folder in any order. @throws DriveError `NotFound` or `NotAFolder`. */
  list(folder: string): AsyncIterable<readonly ListedEntry[]>;
  stat(path: string): Promise<DriveEntry | undefined> | DriveEntry | undefined;
  /** Undefined when there is no file of this path (a folder is none). */
  open(path: string): Promise<OpenFile | undefined> | OpenFile | undefined;
  /** Properties of a file without opening it for reading; undefined when there is no such file. */
  describe(path: string): Promise<DescribedFile | undefined> | DescribedFile | undefined;
  /** `describe` of several files of one folder, by name; undefined for each that is no file. */
  describeAll(
    folder: string,
    names: readonly string[],
  ): Promise<(DescribedFile | undefined)[]> | (DescribedFile | undefined)[];
  /** Begins a file; nothing shows at `path` before `commit`. The conditions are those that `commit` will have. */
  create(path: string, options?: CreateOptions): Promise<PendingFile>;
  /** Replaces the properties of a file in place; its bytes and `modified` stay. */
  setProperties(path: string, properties: string): Promise<void>;
  /** Copies inside the drive into a pending file at `to`. Undefined when `from` is no file. */
  copy(from: string, to: string): Promise<PendingFile | undefined>;
  /** Renames a file, replacing `to`. @returns false when there is no such file. */
  move(from: string, to: string): Promise<boolean>;
  /**
   * Removes a file, if it is still `unchanged`. @returns false when there is none.
   * @throws DriveError `Changed` by the condition
   */
  remove(path: string, unchanged?: DriveEntry): Promise<boolean>;
  /** Removes files in as few steps as the drive lets. @returns for each what `remove` does, or why it could not */
  removeAll(paths: readonly string[]): Promise<(boolean | Error)[]>;
  /** Creates a folder and those above. @returns false when it was there. */
  makeFolder(path: string): Promise<boolean>;
  /** Removes a folder if it is empty. @returns false when it is not empty or not there. */
  removeFolder(path: string): Promise<boolean>;
  /** The contents of a file that the drive keeps, newest first, the present one at the head; none of what is no file. */
  versions?(path: string): Promise<readonly FileVersion[]>;
  /** Opens one of them. Undefined when there is none of this id. */
  openVersion?(path: string, id: string): Promise<OpenFile | undefined>;
  /**
   * Removes temporary files that a crash left behind; of processes that cannot be seen from here, those older
   * than this many milliseconds. @returns how many
   */
  sweep(olderThan: number): Promise<number>;
  close(): Promise<void>;
}

/** A file with what is stored beside its bytes. A drive may give the same object again while nothing changes. */
export interface DescribedFile {
  readonly entry: DriveEntry;
  /** The properties stored with these very bytes; undefined where there are none or they are void. */
  readonly properties: string | undefined;
}

export type DriveErrorCode =
  | "NotFound"
  | "NotAFolder"
  | "IsAFolder"
  | "Exists"
  | "NameRefused"
  | "NoSpace"
  | "ReadOnly"
  | "AccessDenied"
  /** Another one changed it meanwhile. */
  | "Changed"
  /** What was to be gone on with, an upload session for example, is no more there. */
  | "Gone"
  | "TooLarge"
  /** The service wants fewer calls; see `retryAfter`. */
  | "Throttled"
  /** The service cannot be reached or fails. */
  | "Unavailable"
  /** The sign-in has ended or was taken back. */
  | "Unauthenticated";

/** A drive's refusal that the layers above can act on. */
export class DriveError extends Error {
  readonly code: DriveErrorCode;
  /** Milliseconds after which trying again makes sense, where that is known. */
  readonly retryAfter: number | undefined;
  constructor(code: DriveErrorCode, message: string, options?: ErrorOptions & { retryAfter?: number }) {
    super(message, options);
    this.name = "DriveError";
    this.code = code;
    this.retryAfter = options?.retryAfter;
  }
}
