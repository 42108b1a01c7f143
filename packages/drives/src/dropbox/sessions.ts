import { DriveError } from "../drive.ts";
import { LostAnswer } from "../remote/http/index.ts";
import type { Body, Item, UploadSession } from "../remote/vendor.ts";
import { type DropboxClient, fitsHeader, RouteError } from "./client.ts";
import type { CommitInfo, Committer } from "./committer.ts";
import type { Metadata } from "./items.ts";
import type { Act } from "./upload.ts";

export interface SessionParts {
  readonly client: DropboxClient;
  readonly committer: Committer;
  /** Commits the whole of a body by a call. @param properties other than those that the session began with */
  finish(body: Body, properties: string | undefined, act: Act): Promise<Item>;
}

const startRoute = "files/upload_session/start";
const appendRoute = "files/upload_session/append_v2";
const finishRoute = "files/upload_session/finish";

/** How often a call is made that got no answer, and milliseconds before the first repeat, twice as many before the next. */
const attempts = 3;
const pause = 500;

/** Where the bytes of a session end that the service has. */
interface Cursor {
  readonly session_id: string;
  readonly offset: number;
}

/** What both kinds of sessions do alike. They cannot be cancelled, but end by themselves and count for nothing until then. */
abstract class Session implements UploadSession {
  readonly state = "";
  protected readonly parts: SessionParts;
  #item: Item | undefined;
  #properties: string | undefined;
  /** Whether a call that commits had no answer. */
  #unsure = false;

  constructor(parts: SessionParts) {
    this.parts = parts;
  }

  abstract send(body: Body, start: number, end: number, signal?: AbortSignal): Promise<Item | undefined>;
  protected abstract arrived(): Promise<number>;

  async received(): Promise<number | Item> {
    const arrived = await this.arrived();
    return this.#item ?? arrived;
  }

  async cancel(): Promise<void> {}

  describe(properties: string): void {
    this.#properties = properties;
  }

  /** Makes a file of the bytes. @param ride sends the last ones with the call that does */
  protected async finish(
    body: Body,
    cursor: Cursor,
    ride?: (commit: CommitInfo) => Promise<Metadata>,
  ): Promise<Item> {
    const { committer } = this.parts;
    const commit: Act = async (info, retried) => {
      if (this.#unsure) retried();
      try {
        return await (ride?.(info) ?? committer.finish({ cursor, commit: info }, retried));
      } catch (error) {
        this.#unsure ||= error instanceof LostAnswer;
        throw error;
      }
    };
    const finished = () => this.parts.finish(body, this.#properties, commit);
    // What waits for its turn is repeated there.
    this.#item = await (ride ? this.patiently(finished) : finished());
    return this.#item;
  }

  /** Makes a call again that got no answer. */
  protected async patiently<T>(act: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1)
      try {
        return await act();
      } catch (error) {
        if (!(error instanceof LostAnswer) || attempt === attempts) throw error;
        await this.parts.client.clock.sleep(pause * 2 ** (attempt - 1));
      }
  }

  /** Sends bytes to a place; those that the service has already are left out. */
  protected async append(
    { session_id, offset }: Cursor,
    body: Body,
    end: number,
    close: boolean,
    signal?: AbortSignal,
  ): Promise<void> {
    const argument = { cursor: { session_id, offset }, close };
    try {
      await this.patiently(() =>
        this.parts.client.upload(appendRoute, argument, part(body, offset, end), { signal }),
      );
    } catch (error) {
      const correct = correctOffset(error);
      if (correct === end && !close) return;
      if (close && error instanceof RouteError && error.is("closed")) return;
      if (correct === undefined || correct <= offset) throw meaning(error);
      await this.append({ session_id, offset: correct }, body, end, close, signal);
    }
  }
}

/** Fragments one after the other, of which the first begins the session and the last ends it. */
export class SequentialSession extends Session {
  #id: string | undefined;
  #received = 0;
  #queue: Promise<unknown> = Promise.resolve();

  send(body: Body, start: number, end: number, signal?: AbortSignal): Promise<Item | undefined> {
    const sent = this.#queue.then(() => this.#send(body, start, end, signal));
    this.#queue = sent.catch(() => {});
    return sent;
  }

  protected async arrived(): Promise<number> {
    await this.#queue;
    return this.#received;
  }

  async #send(body: Body, start: number, end: number, signal?: AbortSignal): Promise<Item | undefined> {
    const { client, committer } = this.parts;
    const last = end === body.size;
    if (this.#id === undefined) {
      if (start > 0) throw gone();
      const bytes = part(body, start, end);
      const argument = { close: last };
      const begun = await this.patiently(() =>
        client.upload<{ session_id: string }>(startRoute, argument, bytes, { signal }),
      );
      this.#id = begun.session_id;
      this.#received = end;
    } else if (!last || !committer.idle) {
      await this.append({ session_id: this.#id, offset: start }, body, end, last, signal);
      this.#received = end;
    }
    if (!last) return undefined;
    const session_id = this.#id;
    if (this.#received === end) return this.finish(body, { session_id, offset: end });
    return this.finish(body, { session_id, offset: end }, (commit) =>
      this.#ride({ session_id, offset: start }, body, commit, signal),
    );
  }

  /** Sends the last bytes with the call that commits, but for those that have arrived already. */
  async #ride(cursor: Cursor, body: Body, commit: CommitInfo, signal?: AbortSignal): Promise<Metadata> {
    const { client, committer } = this.parts;
    const argument = { cursor, commit };
    if (!fitsHeader(argument)) {
      await this.append(cursor, body, body.size, true, signal);
      return committer.finish({ cursor: { ...cursor, offset: body.size }, commit }, () => {});
    }
    const bytes = part(body, cursor.offset, body.size);
    try {
      return await committer.run(
        () => client.upload<Metadata>(finishRoute, argument, bytes, { signal }),
        signal,
      );
    } catch (error) {
      const correct = correctOffset(error);
      if (correct === undefined || correct <= cursor.offset) throw error;
      return this.#ride({ ...cursor, offset: correct }, body, commit, signal);
    }
  }
}

/** Fragments in any order and at once; the last one ends the session. */
export class ConcurrentSession extends Session {
  readonly #id: string;
  readonly #sending = new Set<Promise<unknown>>();
  /** Ends of the fragments that have arrived, by their beginnings. */
  readonly #arrived = new Map<number, number>();

  constructor(parts: SessionParts, id: string) {
    super(parts);
    this.#id = id;
  }

  async send(body: Body, start: number, end: number, signal?: AbortSignal): Promise<Item | undefined> {
    const last = end === body.size;
    if (last) await Promise.allSettled(this.#sending);
    const cursor = { session_id: this.#id, offset: start };
    const sent = this.append(cursor, body, end, last, signal);
    this.#sending.add(sent);
    try {
      await sent;
    } finally {
      this.#sending.delete(sent);
    }
    this.#arrived.set(start, end);
    return last ? this.finish(body, { ...cursor, offset: end }) : undefined;
  }

  /** The bytes up to the first that are missing. */
  protected async arrived(): Promise<number> {
    await Promise.allSettled(this.#sending);
    let arrived = 0;
    for (let end = this.#arrived.get(0); end !== undefined; end = this.#arrived.get(arrived)) arrived = end;
    return arrived;
  }
}

const part = (body: Body, start: number, end: number) => ({
  size: end - start,
  read: () => body.read(start, end),
});

const correctOffset = (error: unknown) => (error instanceof RouteError ? error.correctOffset : undefined);

function meaning(error: unknown): unknown {
  if (!(error instanceof RouteError)) return error;
  const ended = error.is("not_found") || error.is("closed") || error.correctOffset !== undefined;
  return ended ? gone() : error;
}

const gone = () => new DriveError("Gone", "Dropbox no longer has this upload.");
