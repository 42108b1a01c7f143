import { randomBytes } from "node:crypto";
import type { Call, Operation, Reply } from "../drives/call.ts";
import type { Clock } from "../drives/clock.ts";
import type { ContentStore, ContentWriter } from "../drives/content.ts";
import type { Conditions, Conflict, Drive, Item, Properties } from "./drive.ts";
import { GraphError, invalidRequest, nameExists, notFound } from "./errors.ts";
import type { ItemJson, Json } from "./item-json.ts";
import { foldName } from "./names.ts";

/** Fragments but the last are multiples of this. */
const fragmentMultiple = 320 * 1024;
const largestFragment = 60 * 1024 * 1024;
const largestFile = 250 * 1024 ** 3;
const mostSessions = 1000;

export interface SessionTarget {
  /** By id, so that a folder may be moved meanwhile. */
  readonly parent: Item;
  readonly name: string;
  readonly conflict: Conflict;
  readonly conditions: Conditions;
  readonly properties: Properties;
  readonly deferCommit: boolean;
}

interface Session extends SessionTarget {
  readonly id: string;
  readonly writer: ContentWriter;
  expires: number;
  /** Known from the first fragment on. */
  total: number | undefined;
  /** A fragment is on its way. */
  busy: boolean;
  /** A fragment was no multiple, and only the commit tells. */
  spoilt: boolean;
}

export interface SessionOptions {
  readonly sessionSeconds?: number;
  readonly fragmentRule?: "fragment" | "commit";
}

/** Upload sessions: fragments in order, and the file when they are whole. */
export class Sessions {
  readonly #drive: Drive;
  readonly #clock: Clock;
  readonly #store: ContentStore;
  readonly #json: ItemJson;
  readonly #options: SessionOptions;
  readonly #sessions = new Map<string, Session>();
  /** Where the addresses lead; known once the listener is. */
  origin = "";

  constructor(drive: Drive, clock: Clock, store: ContentStore, json: ItemJson, options: SessionOptions) {
    this.#drive = drive;
    this.#clock = clock;
    this.#store = store;
    this.#json = json;
    this.#options = options;
  }

  get open(): number {
    return this.#sessions.size;
  }

  /** @throws GraphError 400 for the name, 409 where another session holds it */
  async create(target: SessionTarget): Promise<Reply> {
    this.#drive.checkName(target.parent, target.name);
    await this.#dropExpired();
    if (this.#sessions.size >= mostSessions)
      throw new GraphError(429, "activityLimitReached", "Too many upload sessions are open.");
    const taken = [...this.#sessions.values()].some(
      ({ parent, name }) => parent === target.parent && foldName(name) === foldName(target.name),
    );
    if (taken && !this.#drive.personal)
      throw nameExists("The specified item name is currently being uploaded by another session.");
    const id = randomBytes(24).toString("base64url");
    const session: Session = {
      ...target,
      id,
      writer: this.#store.writer(),
      expires: 0,
      total: undefined,
      busy: false,
      spoilt: false,
    };
    this.#sessions.set(id, session);
    return { status: 200, body: { uploadUrl: `${this.origin}/upload/${id}`, ...this.#status(session) } };
  }

  operation(call: Call): Operation {
    const { method, path } = call;
    const id = path.slice("/upload/".length);
    return {
      endpoint: `${method} upload`,
      run: async () => {
        await this.#dropExpired();
        const session = this.#sessions.get(id);
        if (!session) throw notFound("The upload session was not found.");
        if (method === "GET") return { status: 200, body: this.#status(session) };
        if (method === "PUT") return this.#put(session, call);
        if (method === "POST" && !this.#drive.personal) return this.#commit(session);
        if (method !== "DELETE")
          throw new GraphError(405, "invalidRequest", `${method} is not allowed here.`);
        await this.#drop(session);
        return { status: 204 };
      },
    };
  }

  /** Commits the bytes of a session as another item: what `@microsoft.graph.sourceUrl` asks for. */
  async commitTo(url: string, target: Pick<SessionTarget, "parent" | "name" | "conflict" | "conditions">) {
    const id = url.startsWith(`${this.origin}/upload/`) ? url.slice(`${this.origin}/upload/`.length) : "";
    const session = this.#sessions.get(id);
    if (!session) throw notFound("The upload session was not found.");
    return this.#commit(session, target);
  }

  /** Ends all sessions, as the service does now and then. */
  async dropAll(): Promise<void> {
    for (const session of [...this.#sessions.values()]) await this.#drop(session);
  }

  /** Any sign of life moves the end of a session. */
  #status(session: Session): Json {
    const { writer, total } = session;
    session.expires = this.#clock.now() + this.#seconds * 1000;
    return {
      expirationDateTime: new Date(session.expires).toISOString(),
      nextExpectedRanges: writer.size === total ? [] : [`${writer.size}-`],
    };
  }

  get #seconds(): number {
    return this.#options.sessionSeconds ?? 7 * 86_400;
  }

  async #put(session: Session, call: Call): Promise<Reply> {
    const { start, length, total } = range(call);
    const { writer } = session;
    if (session.total !== undefined && session.total !== total)
      throw invalidRequest("The total size differs from that of the fragments before.", "invalidRange");
    if (total > largestFile) throw invalidRequest("The file is larger than 250 GB.");
    if (start < writer.size) throw rangeRefused("fragmentOverlap");
    if (start > writer.size) throw rangeRefused("fragmentOutOfOrder");
    if (length > largestFragment)
      throw new GraphError(413, "invalidRequest", "The fragment is larger than 60 MiB.", {
        inner: "maxFragmentLengthExceeded",
      });
    if (start + length > total) throw invalidRequest("The fragment ends behind the file.", "invalidRange");
    if (start + length < total && length % fragmentMultiple !== 0) {
      if (this.#options.fragmentRule !== "commit")
        throw invalidRequest("The size of a fragment but the last must be a multiple of 327680 bytes.");
      session.spoilt = true;
    }
    if (session.busy) throw new GraphError(409, "resourceModified", "Another fragment is on its way.");
    this.#drive.checkQuota(total);
    session.busy = true;
    try {
      for await (const chunk of call.body) await writer.write(chunk);
      if (writer.size !== start + length)
        throw invalidRequest("The body is not as long as it says.", "fragmentLengthMismatch");
      writer.mark();
      session.total = total;
    } catch (error) {
      // A fragment counts only when it is whole.
      writer.rewind();
      throw error;
    } finally {
      session.busy = false;
      if (!this.#sessions.has(session.id)) await writer.abort();
    }
    if (!this.#sessions.has(session.id)) throw notFound("The upload session was cancelled.");
    if (writer.size < total || session.deferCommit) return { status: 202, body: this.#status(session) };
    return this.#commit(session);
  }

  async #commit(
    session: Session,
    target: Pick<SessionTarget, "parent" | "name" | "conflict" | "conditions"> = session,
  ): Promise<Reply> {
    if (session.busy) throw new GraphError(409, "resourceModified", "Another fragment is on its way.");
    if (session.writer.size !== session.total) throw invalidRequest("The upload is not complete.");
    if (session.spoilt) throw invalidRequest("A fragment was no multiple of 327680 bytes.");
    const { parent, name, conflict, conditions } = target;
    if (parent.removed) throw notFound("The parent folder could not be found.");
    const existing = this.#drive.tree.child(parent, name);
    this.#drive.check(existing, conditions);
    if (existing && (conflict === "fail" || existing.children)) throw nameExists();
    // From here on the bytes are no session any more, whatever comes.
    this.#sessions.delete(session.id);
    const content = (await this.#drive.finish(session.writer, name)).hold();
    try {
      const { item, created } = this.#drive.putFile(
        parent,
        name,
        content,
        conflict,
        conditions,
        session.properties,
      );
      return { status: created ? 201 : 200, body: this.#json.item(item) };
    } finally {
      content.release();
    }
  }

  async #dropExpired(): Promise<void> {
    const now = this.#clock.now();
    for (const session of [...this.#sessions.values()])
      if (session.expires <= now && !session.busy) await this.#drop(session);
  }

  async #drop(session: Session): Promise<void> {
    this.#sessions.delete(session.id);
    if (!session.busy) await session.writer.abort();
  }
}

/** @throws GraphError 400, 411 */
function range({ headers }: Call): { start: number; length: number; total: number } {
  const length = headers["content-length"];
  if (length === undefined) throw new GraphError(411, "invalidRequest", "A fragment needs a Content-Length.");
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers["content-range"] ?? "");
  if (!match) throw invalidRequest("The Content-Range must be 'bytes START-END/TOTAL'.", "invalidRange");
  const [start, last, total] = match.slice(1).map(Number) as [number, number, number];
  if (last - start + 1 !== Number(length))
    throw invalidRequest("Content-Length and Content-Range do not agree.", "fragmentLengthMismatch");
  return { start, length: Number(length), total };
}

function rangeRefused(inner: string): GraphError {
  return new GraphError(416, "invalidRange", "The fragment does not follow what has been received.", {
    inner,
  });
}
