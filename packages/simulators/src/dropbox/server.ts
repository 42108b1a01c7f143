import { administer } from "../drives/admin.ts";
import { type Call, type Operation, type Reply, readBody } from "../drives/call.ts";
import { CallLog } from "../drives/calls.ts";
import { Clock } from "../drives/clock.ts";
import { ContentStore } from "../drives/content.ts";
import { Faults } from "../drives/faults.ts";
import { listen, type Service } from "../drives/server.ts";
import type { DriveStandIn } from "../drives/stand-in.ts";
import { CommitLock } from "./commit-lock.ts";
import { ContentHash } from "./content-hash.ts";
import { Cursors } from "./cursors.ts";
import { Drive, type Item } from "./drive.ts";
import { ApiError, badRequest, errorOf, requestId } from "./errors.ts";
import { Jobs } from "./jobs.ts";
import { Links } from "./links.ts";
import { Metadata } from "./metadata.ts";
import type { DropboxOptions } from "./options.ts";
import { Templates } from "./properties.ts";
import { rcloneSection } from "./rclone.ts";
import { readArg, viewOf } from "./request.ts";
import type { Parts, Route } from "./route.ts";
import { account } from "./routes/account.ts";
import { downloads } from "./routes/downloads.ts";
import { files } from "./routes/files.ts";
import { listing } from "./routes/listing.ts";
import { properties } from "./routes/properties.ts";
import { uploads } from "./routes/uploads.ts";
import { Sessions } from "./sessions.ts";
import { type SignedIn, Tokens } from "./tokens.ts";

export interface DropboxServer extends DriveStandIn {
  /** `http://127.0.0.1:port`: the API below `/2`, signing in below `/oauth2`. */
  readonly url: string;
  /** Where contents go up and down. */
  readonly contentUrl: string;
  /** Where longpolls are answered. */
  readonly notifyUrl: string;
  /** Where temporary links are answered. */
  readonly linkUrl: string;
  /** What the Dropbox holds now, for tests to look at. */
  readonly drive: Drive;
  /** Makes all cursors invalid. */
  resetCursors(): void;
  /** Removes all templates of property groups, as the user may do. */
  removeTemplates(): void;
  /** Tokens as a user gets them who signs in now. */
  signIn(scope?: string): SignedIn;
  /** Makes a file that must not be downloaded, for legal reasons. */
  restrict(path: string): void;
  /** Makes a document that can be exported but not downloaded. */
  addPaper(path: string, text: string): Promise<void>;
}

const routes = new Map<string, Route>(
  [...files, ...uploads, ...downloads, ...listing, ...properties, ...account].map((route) => [
    route.name,
    route,
  ]),
);

/**
 * Starts a stand-in of Dropbox on loopback: API v2 with signing in, contents, longpolls and temporary links, each
 * on a port of their own. It refuses what the service refuses.
 */
export async function startDropbox(options: DropboxOptions = {}): Promise<DropboxServer> {
  const clock = new Clock(options.clockSkew);
  const calls = new CallLog();
  const faults = new Faults();
  const store = new ContentStore({ content_hash: () => new ContentHash() });
  const drive = new Drive(options, clock);
  const metadata = new Metadata(drive);
  const tokens = new Tokens(options, clock);
  const sessions = new Sessions(clock, store, options);
  const cursors = new Cursors(drive, metadata, options);
  const links = new Links(clock, options.linkSeconds);
  const templates = new Templates();
  const parts: Parts = {
    options,
    drive,
    store,
    metadata,
    sessions,
    cursors,
    links,
    tokens,
    templates,
    jobs: new Jobs(clock, options.jobTime),
    lock: new CommitLock(options.commitTime, options.commitRefusal),
  };

  const common = {
    clock,
    calls,
    faults,
    latency: options.latency ?? 0,
    refuse: (error: unknown) => (error instanceof ApiError ? error : new ApiError(500, `${error}\n`)).reply(),
    failure: (status: number) => errorOf(status).reply(),
  };
  const host = (name: Route["host"]): Service => ({
    ...common,
    route: (call) => (name === "api" && login(call)) || api(name, call),
  });

  function login(call: Call): Operation | undefined {
    const { method, query, headers } = call;
    // Older versions of rclone know the addresses of version 1.
    const path = call.path.replace(/^\/1\//, "/");
    if (path === "/oauth2/authorize" && method === "GET")
      return {
        endpoint: "GET authorize",
        run: () => {
          const given = tokens.authorize(query);
          if ("location" in given) return { status: 302, headers: { location: given.location } };
          return { status: 200, body: `Enter this code: ${given.code}\n` };
        },
      };
    if (path !== "/oauth2/token" || method !== "POST") return undefined;
    return {
      endpoint: "POST token",
      run: async () => {
        // Parameters come in the address or in the body, the client also as basic authentication.
        const form = new URLSearchParams((await readBody(call)).toString());
        for (const [name, value] of query) form.set(name, value);
        const basic = /^Basic (.+)$/i.exec(headers.authorization ?? "")?.[1];
        if (basic) {
          const [id = "", secret = ""] = Buffer.from(basic, "base64").toString().split(":");
          form.set("client_id", decodeURIComponent(id));
          form.set("client_secret", decodeURIComponent(secret));
        }
        return { ...tokens.token(form), headers: { "cache-control": "no-store" } };
      },
    };
  }

  function api(on: Route["host"], call: Call): Operation {
    const name = /^\/2\/(.+)$/.exec(call.path)?.[1] ?? "";
    const route = routes.get(name);
    if (!route) {
      const unknown = badRequest(`Unknown API function: "${name}"`);
      return { endpoint: "unknown", run: () => unknown.reply() };
    }
    return { endpoint: name, run: () => run(route, on, call) };
  }

  async function run(route: Route, on: Route["host"], call: Call): Promise<Reply> {
    const { method, headers } = call;
    if (route.host !== on)
      throw badRequest(`Error in call to API function "${route.name}": it is not on this host.`);
    if (method !== "POST" && !(method === "GET" && route.style === "download"))
      throw badRequest(`Error in call to API function "${route.name}": Your request method is not POST.`);
    if (route.scope !== undefined) tokens.check(headers.authorization, route.scope);
    else if (headers.authorization !== undefined)
      throw badRequest(`Error in call to API function "${route.name}": it takes no "Authorization".`);
    if (headers["dropbox-api-select-user"] !== undefined)
      throw badRequest("Invalid \"Dropbox-API-Select-User\": the token is a user's, not a team's.");
    const view = viewOf(drive, headers["dropbox-api-path-root"]);
    const arg = await readArg(route, call, options.takesUtf8Headers);
    using commits = parts.lock.begin();
    const reply = await route.run({ ...parts, call, arg, view, commits });
    if (reply.body !== null) return { ...reply, headers: { ...requestId(), ...reply.headers } };
    // JSON that is `null` is an answer, too.
    return { status: 200, headers: { ...requestId(), "content-type": "application/json" }, body: "null" };
  }

  const user = {
    async put(path: string, bytes: AsyncIterable<Buffer> | Iterable<Buffer>) {
      const content = (await store.keep(bytes)).hold();
      try {
        const how = { mode: { ".tag": "overwrite" as const }, autorename: false, strict_conflict: true };
        drive.commit(drive.place(drive.home, `/${path}`), content, { ...how, client_modified: undefined });
      } finally {
        content.release();
      }
    },
    remove(path: string) {
      const item = find(path);
      if (item) drive.remove(item);
      return item !== undefined;
    },
  };
  const find = (path: string): Item | undefined => {
    let item: Item | undefined = drive.home;
    for (const name of path.split("/")) item = item && drive.tree.child(item, name);
    return item;
  };
  const { files: seed = {} } = options;
  for (const [path, bytes] of Symbol.iterator in seed ? seed : Object.entries(seed))
    if (bytes === null) drive.folders(path.split("/"));
    else await user.put(path, [Buffer.from(bytes)]);

  const link: Service = { ...common, route: (call) => links.operation(call) };
  const listeners = await Promise.all([
    listen(host("api"), options.port, administer(calls, faults, user)),
    listen(host("content"), options.contentPort),
    listen(host("notify"), options.notifyPort),
    listen(link, options.linkPort),
  ]);
  const [url, contentUrl, notifyUrl, linkUrl] = listeners.map((each) => each.url) as [
    string,
    string,
    string,
    string,
  ];
  links.origin = options.linkOrigin ?? linkUrl;
  const close = async () => {
    cursors.close();
    await Promise.all(listeners.map((each) => each.close()));
    await sessions.dropAll();
    await store.close();
  };
  return {
    url,
    contentUrl,
    notifyUrl,
    linkUrl,
    clock,
    calls,
    drive,
    fault: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    get faults() {
      return faults.pending;
    },
    get openSessions() {
      return sessions.open;
    },
    dropSessions: () => sessions.dropAll(),
    resetCursors: () => cursors.reset(),
    removeTemplates: () => {
      for (const id of templates.ids) {
        templates.remove(id);
        drive.dropGroups(id);
      }
    },
    signIn: (scope) => tokens.signIn(scope),
    expireTokens: () => tokens.expire(),
    revokeTokens: () => tokens.revokeAll(),
    put: (path, bytes) => user.put(path, [Buffer.from(bytes)]),
    remove: (path) => user.remove(path),
    restrict: (path) => {
      const item = find(path);
      if (!item) throw new Error(`The stand-in has no ${path}`);
      item.data.restricted = true;
    },
    addPaper: async (path, text) => {
      drive.addPaper(path.split("/"), await store.keep([Buffer.from(text)]));
    },
    rcloneSection: (name) =>
      rcloneSection(name, {
        url,
        contentUrl,
        notifyUrl,
        clientId: options.clientId ?? "stand-in",
        clientSecret: options.clientSecret ?? "stand-in",
        token: tokens.signIn(),
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
