import { DriveError } from "../drive.ts";
import { LostAnswer } from "../remote/http/index.ts";
import type { Body, Item, UploadSession } from "../remote/vendor.ts";
import { type DropboxClient, fitsHeader, RouteError } from "./client.ts";
import type { Committer } from "./committer.ts";
import type { Metadata } from "./items.ts";
import type { Act } from "./upload.ts";

export interface SessionParts {
  readonly client: DropboxClient;
  readonly committer: Committer;
  /** Commits the whole of a body by a call. */
  finish(body: Body, act: Act): Promise<Item>;
}

/** How often a fragment is sent that the service does not have where it should. */
const attempts = 4;

const part = (body: Body, start: number, end: number) => ({
  size: end - start,
  read: () => body.read(start, end),
});

/** Fragments one after the other, of which the first begins the session and the last ends it. */
export class SequentialSession implements UploadSession {
  /** Sessions cannot be cancelled: they end by themselves, and count for nothing until then. */
  readonly state = "";
  readonly #parts: SessionParts;
  #id: string | undefined;
  #received = 0;
  #item: Item | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  send(body: Body, start: number, end: number, signal?: AbortSignal): Promise<Item | undefined> {
    const sent = this.#queue.then(() => this.#send(body, start, end, signal));
    this.#queue = sent.catch(() => {});
    return sent;
  }

  async received(): Promise<number | Item> {
    await this.#queue;
    return this.#item ?? this.#received;
  }

  async cancel(): Promise<void> {}

  async #send(body: Body, start: number, end: number, signal?: AbortSignal): Promise<Item | undefined> {
    const { client, committer } = this.#parts;
    const id = this.#id;
    if (id === undefined) {
      if (start > 0) throw gone();
      const { session_id } = await client.upload<{ session_id: string }>(
        "files/upload_session/start",
        { close: end === body.size },
        part(body, start, end),
        { repeatable: true, signal },
      );
      this.#id = session_id;
      this.#received = end;
      if (end < body.size) return undefined;
      return this.#finish(body, (commit, retried) =>
        committer.finish({ cursor: { session_id, offset: end }, commit }, retried),
      );
    }
    if (end < body.size) {
      await this.#append(id, body, start, end, false, signal);
      return undefined;
    }
    return this.#finish(body, async (commit, retried) => {
      const cursor = { session_id: id, offset: end };
      if (committer.idle && fitsHeader(commit)) {
        const last = await committer.run(() => this.#ride(id, body, start, commit, retried, signal), signal);
        if (last) return last;
        // The bytes have arrived before.
        return committer.run(() => client.upload<Metadata>(finishRoute, { cursor, commit }, "", { signal }));
      }
      await this.#append(id, body, start, end, true, signal);
      return committer.finish({ cursor, commit }, retried);
    });
  }

  async #finish(body: Body, act: Act): Promise<Item> {
    this.#item = await this.#parts.finish(body, act);
    return this.#item;
  }

  /** Sends the last bytes with the call that commits; undefined where they turn out to have arrived already. */
  async #ride(
    session_id: string,
    body: Body,
    start: number,
    commit: object,
    retried: () => void,
    signal?: AbortSignal,
  ): Promise<Metadata | undefined> {
    let offset = start;
    for (let attempt = 1; ; attempt += 1)
      try {
        const argument = { cursor: { session_id, offset }, commit };
        const bytes = part(body, offset, body.size);
        return await this.#parts.client.upload<Metadata>(finishRoute, argument, bytes, { signal });
      } catch (error) {
        if (attempt === attempts) throw error;
        const correct = error instanceof RouteError ? error.correctOffset : undefined;
        if (error instanceof LostAnswer) retried();
        else if (correct === body.size) return undefined;
        else if (correct !== undefined && correct > start) offset = correct;
        else throw error;
      }
  }

  async #append(
    session_id: string,
    body: Body,
    start: number,
    end: number,
    close: boolean,
    signal?: AbortSignal,
  ): Promise<void> {
    let offset = start;
    for (let attempt = 1; ; attempt += 1)
      try {
        await this.#parts.client.upload(
          appendRoute,
          { cursor: { session_id, offset }, close },
          part(body, offset, end),
          { repeatable: true, signal },
        );
        break;
      } catch (error) {
        if (!(error instanceof RouteError)) throw error;
        // A repeated fragment whose answer was lost.
        if (error.correctOffset === end || (close && error.is("closed"))) break;
        const ahead = error.correctOffset !== undefined && error.correctOffset >= start;
        if (error.is("not_found") || error.is("closed") || (error.correctOffset !== undefined && !ahead))
          throw gone();
        if (!ahead || attempt === attempts) throw error;
        offset = error.correctOffset!;
      }
    this.#received = end;
  }
}

/** Fragments in any order and at once; the last one ends the session. */
export class ConcurrentSession implements UploadSession {
  readonly state = "";
  readonly #parts: SessionParts;
  readonly #id: string;
  readonly #sending = new Set<Promise<unknown>>();
  /** Ends of the fragments that have arrived, by their beginnings. */
  readonly #arrived = new Map<number, number>();
  #item: Item | undefined;

  constructor(parts: SessionParts, id: string) {
    this.#parts = parts;
    this.#id = id;
  }

  async send(body: Body, start: number, end: number, signal?: AbortSignal): Promise<Item | undefined> {
    if (end < body.size) {
      const sent = this.#append(body, start, end, false, signal);
      this.#sending.add(sent);
      try {
        await sent;
      } finally {
        this.#sending.delete(sent);
      }
      return undefined;
    }
    await Promise.allSettled(this.#sending);
    await this.#append(body, start, end, true, signal);
    const cursor = { session_id: this.#id, offset: end };
    this.#item = await this.#parts.finish(body, (commit, retried) =>
      this.#parts.committer.finish({ cursor, commit }, retried),
    );
    return this.#item;
  }

  async received(): Promise<number | Item> {
    await Promise.allSettled(this.#sending);
    if (this.#item) return this.#item;
    let received = 0;
    for (let end = this.#arrived.get(0); end !== undefined; end = this.#arrived.get(received)) received = end;
    return received;
  }

  async cancel(): Promise<void> {}

  async #append(body: Body, start: number, end: number, close: boolean, signal?: AbortSignal): Promise<void> {
    const cursor = { session_id: this.#id, offset: start };
    try {
      await this.#parts.client.upload(appendRoute, { cursor, close }, part(body, start, end), {
        repeatable: true,
        signal,
      });
    } catch (error) {
      if (!(error instanceof RouteError)) throw error;
      // Repeated, after the answer was lost.
      if (!(close && error.is("closed"))) throw error.is("not_found") || error.is("closed") ? gone() : error;
    }
    this.#arrived.set(start, end);
  }
}

const finishRoute = "files/upload_session/finish";
const appendRoute = "files/upload_session/append_v2";

const gone = () => new DriveError("Gone", "Dropbox no longer has this upload.");
