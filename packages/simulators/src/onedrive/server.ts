import { administer } from "../drives/admin.ts";
import type { Call, Operation, Reply } from "../drives/call.ts";
import { CallLog } from "../drives/calls.ts";
import { Clock } from "../drives/clock.ts";
import { ContentStore, type Hasher } from "../drives/content.ts";
import { Faults } from "../drives/faults.ts";
import { NodeHash } from "../drives/node-hash.ts";
import { listen, type Service } from "../drives/server.ts";
import type { DriveStandIn } from "../drives/stand-in.ts";
import { findItem, parseAddress } from "./address.ts";
import { batch } from "./batch.ts";
import { readText } from "./body.ts";
import { Copies } from "./copies.ts";
import { Delta, type Resync } from "./delta.ts";
import { Downloads } from "./downloads.ts";
import { Drive, type Item } from "./drive.ts";
import { accessDenied, errorOf, GraphError, invalidRequest, notFound } from "./errors.ts";
import { ItemJson } from "./item-json.ts";
import type { OneDriveOptions } from "./options.ts";
import { QuickXorHash } from "./quick-xor-hash.ts";
import { rcloneSection } from "./rclone.ts";
import type { Parts, Route } from "./route.ts";
import { children } from "./routes/children.ts";
import { content } from "./routes/content.ts";
import { items } from "./routes/items.ts";
import { versions } from "./routes/versions.ts";
import { Sessions } from "./sessions.ts";
import { Throttle } from "./throttle.ts";
import { Tokens } from "./tokens.ts";

export interface OneDriveServer extends DriveStandIn {
  /** `http://127.0.0.1:port`: Graph below `/v1.0`, the token endpoints below `/common/oauth2/v2.0`. */
  readonly url: string;
  /** Where pre-authenticated addresses are answered. */
  readonly storageUrl: string;
  readonly driveId: string;
  /** What the drive holds now, for tests to look at. */
  readonly drive: Drive;
  /** Makes all tokens of the change feed invalid. */
  resetDelta(code?: Resync): void;
  /** Tokens as a user gets them who signs in now. */
  signIn(scope?: string): ReturnType<Tokens["signIn"]>;
  /** What the user of a device code does in the browser. @returns false where there is no such code */
  decide(userCode: string, decision: "approved" | "declined"): boolean;
  /** Marks a file as infected: it can be seen but not read. */
  infect(path: string): void;
  /** Makes a OneNote notebook, which is neither file nor folder. */
  addNotebook(path: string): void;
}

/** The one SharePoint site that there is, with the drive as its library. */
const site = {
  id: "stand-in.sharepoint.com,00000000-0000-4000-8000-000000000002,00000000-0000-4000-8000-000000000003",
  displayName: "Data Science",
  webUrl: "https://stand-in.sharepoint.com/sites/data",
};
const matching = (search: string | null) =>
  site.displayName.toLowerCase().includes((search ?? "").toLowerCase()) ? [site] : [];

const delta: Route = {
  method: "GET",
  resource: /^(?:microsoft\.graph\.)?delta(?:\((?:token='(?<token>[^']*)')?\))?$/,
  name: "delta",
  units: 1,
  run({ call, drive, delta, address, path, groups }) {
    return delta.answer(call, findItem(drive, address), groups.token, path.replace(/\(.*$/, ""));
  },
};

const routes: readonly Route[] = [...items, ...children, ...content, ...versions, delta];

/**
 * Starts a stand-in of OneDrive on loopback: Microsoft Graph v1.0, the token endpoints and, on a port of their
 * own, the pre-authenticated addresses of storage. It refuses what the services refuse.
 */
export async function startOneDrive(options: OneDriveOptions = {}): Promise<OneDriveServer> {
  const clock = new Clock(options.clockSkew);
  const calls = new CallLog();
  const faults = new Faults();
  const hashers: Record<string, () => Hasher> = { quickXorHash: () => new QuickXorHash() };
  for (const name of options.hashes ?? [])
    hashers[name] = () => new NodeHash(name === "sha1Hash" ? "sha1" : "sha256");
  const store = new ContentStore(hashers);
  const drive = new Drive(options, clock);
  const tokens = new Tokens(options, clock);
  const throttle = new Throttle(options.throttle, clock);
  const downloads = new Downloads(drive, clock, options.downloadSeconds);
  const json = new ItemJson(drive, (item) => downloads.url(item), options.oddDriveIds);
  const sessions = new Sessions(drive, clock, store, json, options);
  const copies = new Copies(drive, clock, options.copyTime, options.copyDone);
  const feed = new Delta(drive, json, options.delta, options.lag?.delta);
  const parts: Parts = { options, drive, store, json, downloads, sessions, copies, delta: feed };

  const refuse = (error: unknown, call: Call): Reply => {
    const known = error instanceof GraphError;
    return (known ? error : new GraphError(500, "generalException", String(error))).reply(call, clock.now());
  };
  const common = {
    clock,
    calls,
    faults,
    latency: options.latency ?? 0,
    refuse,
    failure: (status: number, call: Call) => errorOf(status).reply(call, clock.now()),
  };
  const graph: Service = { ...common, route: (call) => login(call) ?? api(call) };
  const storage: Service = { ...common, route: preAuthenticated };

  function login(call: Call): Operation | undefined {
    const match = /^\/([^/]+)\/oauth2\/v2\.0\/(token|devicecode|authorize)$/.exec(call.path);
    const { method, query, origin } = call;
    if (call.path === "/devicelogin" && method === "GET")
      return {
        endpoint: "GET devicelogin",
        run: () => {
          const known = tokens.decide(query.get("user_code") ?? "", "approved");
          return {
            status: known ? 200 : 404,
            body: known ? "You are signed in.\n" : "The code is not known.\n",
          };
        },
      };
    if (!match) return undefined;
    const [, tenant = "", what] = match;
    return {
      endpoint: `${method} ${what}`,
      run: async (): Promise<Reply> => {
        if (what === "authorize") return { status: 302, headers: { location: tokens.authorize(query) } };
        const form = new URLSearchParams(await readText(call));
        // Clients may also send their id and secret as basic authentication.
        const basic = /^Basic (.+)$/i.exec(call.headers.authorization ?? "")?.[1];
        if (basic) {
          const [id = "", secret = ""] = Buffer.from(basic, "base64").toString().split(":");
          form.set("client_id", decodeURIComponent(id));
          form.set("client_secret", decodeURIComponent(secret));
        }
        const reply = what === "token" ? tokens.token(tenant, form) : tokens.device(form, origin);
        return { ...reply, headers: { "cache-control": "no-store" } };
      },
    };
  }

  function api(call: Call): Operation {
    const { method, path } = call;
    if (path === "/v1.0/$batch" && method === "POST")
      return {
        endpoint: "POST $batch",
        run: () => {
          tokens.check(call.headers.authorization);
          return batch(call, inner);
        },
      };
    try {
      return resource(call);
    } catch (error) {
      return { endpoint: `${method} unknown`, run: () => refuse(error, call) };
    }
  }

  /** A request inside a batch. */
  async function inner(call: Call): Promise<Reply> {
    const operation = api(call);
    calls.addBatched(operation.endpoint);
    const fault = faults.take(operation.endpoint, call.path);
    if (fault?.status !== undefined) {
      const failure = common.failure(fault.status, call);
      return { ...failure, headers: { ...failure.headers, ...fault.headers } };
    }
    try {
      return await operation.run();
    } catch (error) {
      return refuse(error, call);
    }
  }

  function resource(call: Call): Operation {
    const { method } = call;
    if (!call.path.startsWith("/v1.0/")) throw notFound("The API has the version v1.0 only.");
    const path = call.path.slice("/v1.0".length);
    const check = (units: number) => {
      const scope = tokens.check(call.headers.authorization);
      if (method !== "GET" && !/\.default|Files\.ReadWrite/i.test(scope)) throw accessDenied();
      return throttle.spend(units);
    };
    const plain = (name: string, body: () => unknown): Operation => ({
      endpoint: `${method} ${name}`,
      run: () => {
        const headers = check(1);
        if (method !== "GET") throw new GraphError(405, "invalidRequest", `${method} is not allowed here.`);
        return { status: 200, headers, body: body() };
      },
    });
    if (path === "/me") return plain("me", () => ({ id: "stand-in", displayName: "Stand-in User" }));
    if (path === "/sites" || /^\/sites\/[^/]+\.sharepoint\.com(:\/.+)?$/.test(path))
      return plain("sites", () => (path === "/sites" ? { value: matching(call.query.get("search")) } : site));
    if (/^\/(me\/|sites\/[^/]+\/)?drives$/.test(path))
      return plain("drives", () => ({ value: [json.drive()] }));
    const address = parseAddress(drive, path);
    const { item } = address;
    if (!item) return plain("drive", () => json.drive());
    const known = routes.filter((each) => each.resource.test(address.resource));
    const route = known.find((each) => each.method === method);
    if (!route) {
      const error = known[0]
        ? new GraphError(405, "invalidRequest", `${method} is not allowed here.`)
        : invalidRequest(`'${address.resource}' is not a part of an item.`);
      return { endpoint: `${method} ${known[0]?.name ?? "unknown"}`, run: () => refuse(error, call) };
    }
    const groups = route.resource.exec(address.resource)?.groups ?? {};
    return {
      endpoint: `${method} ${route.name}`,
      run: async () => {
        // The change feed costs less with a token.
        const whole = route === delta && groups.token === undefined && call.query.size === 0;
        const headers = check(whole ? 2 : route.units);
        const reply = await route.run({ ...parts, call, address: item, path, groups });
        return { ...reply, headers: { ...headers, ...reply.headers } };
      },
    };
  }

  function preAuthenticated(call: Call): Operation {
    const operation = call.path.startsWith("/upload/")
      ? sessions.operation(call)
      : call.path.startsWith("/monitor/")
        ? copies.operation(call)
        : downloads.operation(call);
    return {
      endpoint: operation.endpoint,
      run: () => {
        if (call.headers.authorization !== undefined && options.storageTokens !== "ignore")
          throw new GraphError(
            401,
            "unauthenticated",
            "This address is pre-authenticated: send no token to it.",
          );
        return operation.run();
      },
    };
  }

  const user = {
    async put(path: string, bytes: AsyncIterable<Buffer> | Iterable<Buffer>) {
      const segments = path.split("/").filter((name) => name !== "");
      const name = segments.pop();
      const kept = (await store.keep(bytes)).hold();
      try {
        drive.putFile(drive.folders(drive.root, segments), name, kept, "replace");
      } finally {
        kept.release();
      }
    },
    remove(path: string) {
      const item = drive.find(drive.root, path.split("/"));
      if (item) drive.remove(item);
      return item !== undefined;
    },
  };
  const at = (path: string): Item => {
    const item = drive.find(drive.root, path.split("/"));
    if (!item) throw new Error(`The stand-in has no ${path}`);
    return item;
  };
  const { files = {} } = options;
  for (const [path, bytes] of Symbol.iterator in files ? files : Object.entries(files))
    if (bytes === null) drive.folders(drive.root, path.split("/"));
    else await user.put(path, [Buffer.from(bytes)]);

  const graphListener = await listen(graph, options.port, administer(calls, faults, user));
  const storageListener = await listen(storage, options.storagePort);
  const { url } = graphListener;
  downloads.origin = sessions.origin = copies.origin = options.storageOrigin ?? storageListener.url;
  copies.items = `${url}/v1.0/drives/${drive.id}/items`;
  const close = async () => {
    copies.close();
    await Promise.all([graphListener.close(), storageListener.close()]);
    await sessions.dropAll();
    await store.close();
  };
  return {
    url,
    storageUrl: storageListener.url,
    driveId: drive.id,
    clock,
    calls,
    fault: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    get faults() {
      return faults.pending;
    },
    drive,
    get openSessions() {
      return sessions.open;
    },
    dropSessions: () => sessions.dropAll(),
    resetDelta: (code = "resyncChangesApplyDifferences") => feed.reset(code),
    signIn: (scope) => tokens.signIn(scope),
    decide: (userCode, decision) => tokens.decide(userCode, decision),
    expireTokens: () => tokens.expire(),
    revokeTokens: () => tokens.revoke(),
    put: (path, bytes) => user.put(path, [Buffer.from(bytes)]),
    remove: (path) => user.remove(path),
    infect: (path) => {
      at(path).data.infected = true;
    },
    addNotebook: (path) => {
      drive.folders(drive.root, path.split("/")).data.notebook = true;
    },
    rcloneSection: (name) =>
      rcloneSection(name, {
        url,
        driveId: drive.id,
        driveType: drive.type,
        clientId: options.clientId ?? "stand-in",
        clientSecret: options.clientSecret ?? "stand-in",
        token: tokens.signIn(),
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
