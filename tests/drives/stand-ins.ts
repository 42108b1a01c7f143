import {
  type DriveStandIn,
  type StandInOptions,
  startDropbox,
  startGoogleDrive,
  startOneDrive,
} from "@overcoat/simulators";

/** A running stand-in, with what not all of them have in common. */
export interface RunningStandIn {
  readonly server: DriveStandIn;
  /** Makes the drive forget where those who follow its changes were; undefined where it never does. */
  readonly forgetCursors?: () => void;
}

/** How many calls an operation takes at most once all of the drive is known. */
export interface Fewest {
  readonly getCold: number;
  readonly get: number;
  readonly put: number;
  readonly putWithMetadata: number;
  readonly putWithCondition: number;
  /** For four fragments. */
  readonly putLarge: number;
  readonly copy: number;
  readonly rename: number;
  readonly delete: number;
  readonly deleteHundred: number;
}

/** What the tests must know of a drive to make it fail. */
export interface DriveUnderTest {
  start(options?: StandInOptions): Promise<RunningStandIn>;
  /** The calls that do this, as the stand-in's log names them. */
  readonly calls: {
    /** A small file goes up. */
    readonly upload: string | RegExp;
    /** A session for a large one begins. */
    readonly begin: string | RegExp;
    /** A part of it goes up, and with the last one it is there. */
    readonly fragment: RegExp;
    readonly download: string | RegExp;
    /** Changes are asked for. */
    readonly changes: string | RegExp;
    readonly remove: RegExp;
  };
  /** Keys of the remote by which files of more than this many bytes go up in several parts. */
  readonly fragments: { readonly size: number; readonly options: Readonly<Record<string, string>> };
  /** Whether the service lets a session be given up; where not, it ends by itself some time. */
  readonly cancels: boolean;
  readonly fewest: Fewest;
  /** Calls that wait for changes all the time, and so come when they will. */
  readonly follows?: RegExp;
  /** A key that the drive cannot hold. */
  readonly refused?: string;
}

const oneDrive: DriveUnderTest = {
  async start(options) {
    // Of its kinds the one that lets least.
    const server = await startOneDrive({ ...options, driveType: "business" });
    return { server, forgetCursors: () => server.resetDelta() };
  },
  calls: {
    upload: "PUT content",
    begin: "POST createUploadSession",
    fragment: /^PUT upload$/,
    download: "GET download",
    changes: "GET delta",
    remove: /^DELETE item$|^POST \$batch$/,
  },
  fragments: { size: 320 * 1024, options: { chunk_size: "320Ki", upload_cutoff: "320Ki" } },
  cancels: true,
  fewest: {
    // The address and the bytes.
    getCold: 2,
    get: 1,
    put: 1,
    // The metadata lie in a sidecar.
    putWithMetadata: 2,
    putWithCondition: 1,
    putLarge: 1 + 4,
    // Begun, looked at, and the copy itself asked for.
    copy: 3,
    rename: 1,
    delete: 1,
    deleteHundred: 100 / 20,
  },
  refused: "CON",
};

const googleDrive: DriveUnderTest = {
  async start(options) {
    return { server: await startGoogleDrive(options) };
  },
  calls: {
    upload: /^(POST|PATCH) upload$/,
    begin: /^(POST|PATCH) resumable upload$/,
    fragment: /^PUT session$/,
    download: "GET revision download",
    changes: "GET changes",
    remove: /^PATCH file$|^POST batch$/,
  },
  fragments: { size: 256 * 1024, options: { chunk_size: "256Ki", upload_cutoff: "256Ki" } },
  cancels: false,
  fewest: {
    getCold: 1,
    get: 1,
    put: 1,
    putWithMetadata: 1,
    // Names are looked up, for the drive would take the same one twice.
    putWithCondition: 3,
    putLarge: 1 + 4,
    copy: 1,
    rename: 1,
    delete: 1,
    deleteHundred: 100 / 100,
  },
};

const dropbox: DriveUnderTest = {
  async start(options) {
    const server = await startDropbox({ ...options, commitTime: 2 });
    return { server, forgetCursors: () => server.resetCursors() };
  },
  calls: {
    upload: "files/upload",
    begin: "files/upload_session/start",
    fragment: /^files\/upload_session\/(start|append_v2|finish)$/,
    download: /^files\/download$|^GET link$/,
    changes: "files/list_folder/continue",
    remove: /^files\/delete_(v2|batch)$/,
  },
  fragments: { size: 128 * 1024, options: { chunk_size: "128Ki" } },
  cancels: false,
  follows: /^files\/list_folder\/(continue|longpoll)$/,
  fewest: {
    getCold: 1,
    get: 1,
    put: 1,
    putWithMetadata: 1,
    putWithCondition: 1,
    putLarge: 4,
    // The service may leave the metadata behind.
    copy: 1 + 1,
    rename: 1,
    delete: 1,
    // Begun, and looked at.
    deleteHundred: 1 + 1,
  },
};

/** By name. */
export const drives: Readonly<Record<string, DriveUnderTest>> = {
  OneDrive: oneDrive,
  "Google Drive": googleDrive,
  Dropbox: dropbox,
};
