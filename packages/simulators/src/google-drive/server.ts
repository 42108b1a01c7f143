import { administer } from "../drives/admin.ts";
import type { Call, Operation, Reply } from "../drives/call.ts";
import { CallLog } from "../drives/calls.ts";
import { Clock } from "../drives/clock.ts";
import { ContentStore } from "../drives/content.ts";
import { Faults } from "../drives/faults.ts";
import { NodeHash } from "../drives/node-hash.ts";
import { listen, type Service } from "../drives/server.ts";
import type { DriveStandIn } from "../drives/stand-in.ts";
import { type Access, Account, everything, type Item } from "./account.ts";
import { batch } from "./batch.ts";
import { DriveApiError, errorOf, forbidden } from "./errors.ts";
import { Feed } from "./feed.ts";
import { Listing } from "./listing.ts";
import { loginOperation } from "./login.ts";
import type { GoogleDriveOptions } from "./options.ts";
import { Quota } from "./quota.ts";
import { rcloneSection } from "./rclone.ts";
import type { Parts, Route } from "./route.ts";
import { about } from "./routes/about.ts";
import { files } from "./routes/files.ts";
import { revisions } from "./routes/revisions.ts";
import { uploads } from "./routes/uploads.ts";
import { v2 } from "./routes/v2.ts";
import { Sessions } from "./sessions.ts";
import { type SignedIn, Tokens, type Viewer } from "./tokens.ts";

export interface GoogleDriveServer extends DriveStandIn {
  /** `http://127.0.0.1:port`: the API below `/drive`, `/upload/drive` and `/batch`, and the token endpoints. */
  readonly url: string;
  /** What the drives hold now, for tests to look at. */
  readonly account: Account;
  /** Quota units that were spent. */
  readonly unitsSpent: number;
  /** Tokens as a user gets them who signs in now. @param scope such as `drive`, `drive.readonly`, `drive.file` */
  signIn(scope?: string, clientId?: string): SignedIn;
  /** What the user of a device code does in the browser. @returns false where there is no such code */
  decide(userCode: string, decision: "approved" | "declined"): boolean;
  /** Marks a file as abusive: it can only be read by who says that they know. */
  flag(path: string): void;
  /** Makes a document of Google's own, such as `document` or `spreadsheet`. @returns its id */
  addDocument(path: string, kind: string): string;
  /** Makes a shortcut. @returns its id */
  addShortcut(path: string, targetId: string): string;
  /** Makes a file beside those of the same name. @returns its id */
  addDuplicate(path: string, bytes: string | Uint8Array): Promise<string>;
  /** @param teamDrive the id of a shared drive; My Drive where not given */
  rcloneSection(name: string, teamDrive?: string): string;
}

const routes: readonly Route[] = [...files, ...uploads, ...revisions, ...about, ...v2];

const reading = ["drive", "drive.readonly", "drive.file", "drive.metadata", "drive.metadata.readonly"];
const writing = ["drive", "drive.file"];

/**
 * Starts a stand-in of Google Drive on loopback: version 3 of the API, what is needed of version 2, uploads,
 * batches and the token endpoints. It refuses what the service refuses.
 */
export async function startGoogleDrive(options: GoogleDriveOptions = {}): Promise<GoogleDriveServer> {
  const clock = new Clock(options.clockSkew);
  const calls = new CallLog();
  const faults = new Faults();
  const store = new ContentStore({
    md5: () => new NodeHash("md5"),
    sha1: () => new NodeHash("sha1"),
    sha256: () => new NodeHash("sha256"),
  });
  const account = new Account(options, clock);
  const tokens = new Tokens(options, clock);
  const quota = new Quota(options.throttle, clock);
  const sessions = new Sessions(clock, store, options);
  const parts: Parts = {
    options,
    account,
    store,
    listing: new Listing(account, options),
    feed: new Feed(account, options),
    sessions,
    empty: (await store.keep([])).hold(),
  };

  const refuse = (error: unknown): Reply => {
    if (error instanceof DriveApiError) return error.reply();
    return new DriveApiError(500, "internalError", String(error)).reply();
  };
  const service: Service = {
    clock,
    calls,
    faults,
    latency: options.latency ?? 0,
    refuse,
    failure: (status) => errorOf(status).reply(),
    route: (call) => loginOperation(call, tokens) ?? api(call),
  };

  function api(call: Call): Operation {
    const { method, path, query } = call;
    if (/^\/batch(\/drive\/v[23])?$/.test(path) && method === "POST")
      return {
        endpoint: "POST batch",
        run: () => {
          tokens.check(call.headers.authorization);
          return batch(call, inner);
        },
      };
    const session = path.startsWith("/upload/") ? query.get("upload_id") : null;
    if (session !== null) return { endpoint: `${method} session`, run: () => sessions.answer(call, session) };
    const known = routes.filter((route) => route.path.test(path));
    const route = known.find((each) => each.method === method);
    if (!route) return unknown(call, known[0]);
    return {
      endpoint: `${method} ${nameOf(route, query)}`,
      run: () => {
        const viewer = tokens.check(call.headers.authorization);
        checkScope(viewer, route.reads === true, query);
        quota.spend(typeof route.units === "number" ? route.units : route.units(query));
        const access: Access = { viewer, allDrives: reachesSharedDrives(query) };
        return route.run({ ...parts, call, viewer, access, groups: groupsOf(route, path) });
      },
    };
  }

  function unknown(call: Call, known: Route | undefined): Operation {
    const name = known ? nameOf(known, call.query) : "unknown";
    const error = known
      ? new DriveApiError(405, "httpMethodNotAllowed", `${call.method} is not allowed here.`)
      : new DriveApiError(404, "notFound", `There is no ${call.path}.`);
    return { endpoint: `${call.method} ${name}`, run: () => refuse(error) };
  }

  /** A call inside a batch. */
  async function inner(call: Call): Promise<Reply> {
    const operation = api(call);
    calls.addBatched(operation.endpoint);
    const fault = faults.take(operation.endpoint, call.path);
    if (fault?.status !== undefined) {
      const failure = errorOf(fault.status).reply();
      return {
        ...failure,
        headers: { ...failure.headers, ...fault.headers },
        body: fault.body ?? failure.body,
      };
    }
    try {
      return await operation.run();
    } catch (error) {
      return refuse(error);
    }
  }

  const root = account.myDrive.tree.root;
  /** The folder of a path, made where it is missing, and the last name. */
  const place = (path: string): { folder: Item; name: string } => {
    const names = path.split("/").filter((name) => name !== "");
    const name = names.pop() ?? "";
    return { folder: account.folders(root, names), name };
  };
  async function add(path: string, bytes: AsyncIterable<Buffer> | Iterable<Buffer>, beside: boolean) {
    const content = (await store.keep(bytes)).hold();
    try {
      const { folder, name } = place(path);
      const there = beside ? undefined : account.child(folder, name);
      if (there) account.setContent(there, content);
      const metadata = { name, parents: [folder.id], mimeType: mimeType(name) };
      return there ?? account.create(metadata, content, everything);
    } finally {
      content.release();
    }
  }
  const user = {
    put: async (path: string, bytes: AsyncIterable<Buffer> | Iterable<Buffer>) =>
      void (await add(path, bytes, false)),
    remove(path: string) {
      const item = account.at(root, path);
      if (item) account.remove(item);
      return item !== undefined;
    },
  };
  const { files: seed = {} } = options;
  for (const [path, bytes] of Symbol.iterator in seed ? seed : Object.entries(seed))
    if (bytes === null) account.folders(root, path.split("/"));
    else await user.put(path, [Buffer.from(bytes)]);

  const listener = await listen(service, options.port, administer(calls, faults, user));
  const { url } = listener;
  const close = async () => {
    await listener.close();
    await sessions.dropAll();
    await store.close();
  };
  return {
    url,
    clock,
    calls,
    fault: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    get faults() {
      return faults.pending;
    },
    account,
    get unitsSpent() {
      return quota.spent;
    },
    get openSessions() {
      return sessions.open;
    },
    dropSessions: () => sessions.dropAll(),
    signIn: (scope, clientId) => tokens.signIn(scope, clientId),
    decide: (userCode, decision) => tokens.decide(userCode, decision),
    expireTokens: () => tokens.expire(),
    revokeTokens: () => tokens.revoke(),
    put: (path, bytes) => user.put(path, [Buffer.from(bytes)]),
    remove: (path) => user.remove(path),
    flag(path) {
      const item = account.at(root, path);
      if (!item) throw new Error(`The stand-in has no ${path}`);
      item.data.abusive = true;
    },
    addDocument(path, kind) {
      const { folder, name } = place(path);
      const metadata = { name, parents: [folder.id], mimeType: `application/vnd.google-apps.${kind}` };
      return account.create(metadata, undefined, everything).id;
    },
    addShortcut(path, targetId) {
      const { folder, name } = place(path);
      const mimeType = "application/vnd.google-apps.shortcut";
      return account.create(
        { name, parents: [folder.id], mimeType, shortcutTarget: targetId },
        undefined,
        everything,
      ).id;
    },
    addDuplicate: async (path, bytes) => (await add(path, [Buffer.from(bytes)], true)).id,
    rcloneSection: (name, teamDrive) =>
      rcloneSection(name, {
        url,
        clientId: options.clientId ?? "stand-in",
        clientSecret: options.clientSecret ?? "stand-in",
        token: tokens.signIn(),
        teamDrive,
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function nameOf({ name }: Route, query: URLSearchParams): string {
  return typeof name === "string" ? name : name(query);
}

function groupsOf(route: Route, path: string): Record<string, string> {
  const groups = route.path.exec(path)?.groups ?? {};
  return Object.fromEntries(
    Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value!)]),
  );
}

/** Downloads reach files of shared drives in any case: rclone never asks for these there. */
function reachesSharedDrives(query: URLSearchParams): boolean {
  const asked = query.get("supportsAllDrives") ?? query.get("supportsTeamDrives");
  return asked === "true" || query.get("alt") === "media";
}

/** @throws DriveApiError 403 */
function checkScope({ scopes }: Viewer, reads: boolean, query: URLSearchParams): void {
  const bytes = query.get("alt") === "media";
  const enough = (reads ? reading : writing).filter((scope) => !bytes || !scope.includes("metadata"));
  if (!enough.some((scope) => scopes.has(scope)))
    throw forbidden("insufficientPermissions", "Request had insufficient authentication scopes.");
}

function mimeType(name: string): string {
  return name.endsWith(".txt") ? "text/plain" : "application/octet-stream";
}
