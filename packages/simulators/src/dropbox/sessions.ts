import { randomBytes } from "node:crypto";
import type { Clock } from "../drives/clock.ts";
import type { Content, ContentStore, ContentWriter } from "../drives/content.ts";
import type { SessionCursor } from "./args.ts";
import { ContentHash } from "./content-hash.ts";
import { RouteError, type Tagged, tagged } from "./errors.ts";

const largestFile = 2 ** 41 - 2 ** 22;
const mostSessions = 10_000;

export interface SessionOptions {
  readonly sessionSeconds?: number;
  readonly pieceUnit?: number;
  readonly requestLimit?: number;
}

interface Session {
  readonly id: string;
  readonly concurrent: boolean;
  readonly expires: number;
  /** Takes what comes in order. */
  readonly writer: ContentWriter;
  /** What came in any order, by offset. */
  readonly pieces: Map<number, Content>;
  /** Takes nothing more. */
  closed: boolean;
  /** Once it is whole. */
  content: Content | undefined;
  /** A call is at it. */
  busy: boolean;
  committed: boolean;
}

/** What is wrong with a session; holds an UploadSessionLookupError or an error of the same names. */
export class SessionFailed extends Error {
  readonly error: Tagged;
  constructor(tag: string, fields?: Readonly<Record<string, unknown>>) {
    super(tag);
    this.error = tagged(tag, fields);
  }
}

/** Upload sessions: pieces in order or, where they are concurrent, in any. */
export class Sessions {
  readonly #clock: Clock;
  readonly #store: ContentStore;
  readonly #options: SessionOptions;
  readonly #sessions = new Map<string, Session>();

  constructor(clock: Clock, store: ContentStore, options: SessionOptions) {
    this.#clock = clock;
    this.#store = store;
    this.#options = options;
  }

  /** Those that were not committed. */
  get open(): number {
    return [...this.#sessions.values()].filter(({ committed }) => !committed).length;
  }

  async start(concurrent: boolean): Promise<string> {
    await this.#dropExpired();
    return this.#add(concurrent).id;
  }

  /** A session that has all its bytes: those of an upload that could not be saved. */
  async adopt(content: Content): Promise<string> {
    await this.#dropExpired();
    const session = this.#add(false);
    session.content = content.hold();
    session.closed = true;
    return session.id;
  }

  /**
   * Takes bytes at an offset; all of them or none.
   * @param hash of these bytes
   * @throws SessionFailed, RouteError 409
   */
  async append(
    { session_id, offset }: SessionCursor,
    bytes: AsyncIterable<Buffer>,
    { close = false, hash }: { close?: boolean; hash?: string } = {},
  ): Promise<void> {
    const session = await this.#get(session_id);
    if (session.closed || session.committed) throw new SessionFailed("closed");
    if (session.concurrent) await this.#put(session, offset, bytes, close, hash);
    else await this.#write(session, offset, bytes, hash);
    if (close) session.closed = true;
  }

  /**
   * The whole content of a session, with what comes with the call that finishes it.
   * @param batch sessions of a batch must have been closed
   * @throws SessionFailed, RouteError 409
   */
  async whole(
    { session_id, offset }: SessionCursor,
    bytes: AsyncIterable<Buffer> | undefined,
    hash?: string,
  ): Promise<Content> {
    const session = await this.#get(session_id);
    if (session.committed) throw new SessionFailed("closed");
    if (session.concurrent) {
      for await (const chunk of bytes ?? [])
        if (chunk.length > 0) throw new RouteError(tagged("concurrent_session_data_not_allowed"));
      if (!session.closed) throw new RouteError(tagged("concurrent_session_not_closed"));
      session.content ??= await this.#joined(session);
    } else if (bytes) await this.#write(session, offset, bytes, hash);
    else if (!session.closed) throw new SessionFailed("not_closed");
    const size = session.content?.size ?? session.writer.size;
    if ((!bytes || session.concurrent) && offset !== size) throw wrongOffset(size);
    // Here the bytes are whole: if they cannot be saved, the next try comes without any.
    session.closed = true;
    session.content ??= (await session.writer.finish()).hold();
    return session.content;
  }

  /** The bytes of a session are a file now. */
  committed(id: string): void {
    const session = this.#sessions.get(id);
    if (!session) return;
    session.committed = true;
    session.content?.release();
    this.#release(session);
  }

  /** Ends all sessions. */
  async dropAll(): Promise<void> {
    for (const session of [...this.#sessions.values()]) await this.#drop(session);
  }

  #add(concurrent: boolean): Session {
    const session: Session = {
      id: `pid_upload_session:${randomBytes(24).toString("base64url")}`,
      concurrent,
      expires: this.#clock.now() + (this.#options.sessionSeconds ?? 7 * 86_400) * 1000,
      writer: this.#store.writer(),
      pieces: new Map(),
      closed: false,
      content: undefined,
      busy: false,
      committed: false,
    };
    this.#sessions.set(session.id, session);
    return session;
  }

  async #get(id: string): Promise<Session> {
    await this.#dropExpired();
    const session = this.#sessions.get(id);
    if (!session) throw new SessionFailed("not_found");
    return session;
  }

  async #write(session: Session, offset: number, bytes: AsyncIterable<Buffer>, hash?: string): Promise<void> {
    const { writer, content } = session;
    const size = content?.size ?? writer.size;
    // Another piece at the same place is still on its way.
    if (session.busy || offset !== size) throw wrongOffset(size);
    session.busy = true;
    try {
      const hasher = new ContentHash();
      for await (const chunk of limited(bytes, this.#requestLimit)) {
        if (content || session.closed) throw new SessionFailed("closed");
        if (writer.size + chunk.length > largestFile) throw new SessionFailed("too_large");
        hasher.update(chunk);
        await writer.write(chunk);
      }
      if (hash !== undefined && hash !== hasher.digest())
        throw new RouteError(tagged("content_hash_mismatch"));
      if (!content) writer.mark();
    } catch (error) {
      if (!content) writer.rewind();
      throw error;
    } finally {
      session.busy = false;
      if (!this.#sessions.has(session.id)) await writer.abort();
    }
    if (!this.#sessions.has(session.id)) throw new SessionFailed("not_found");
  }

  async #put(
    session: Session,
    offset: number,
    bytes: AsyncIterable<Buffer>,
    close: boolean,
    hash: string | undefined,
  ): Promise<void> {
    const unit = this.#options.pieceUnit ?? 4 * 1024 * 1024;
    if (offset % unit !== 0) throw new SessionFailed("concurrent_session_invalid_offset");
    const piece = await this.#store.keep(limited(bytes, this.#requestLimit));
    const refused =
      hash !== undefined && hash !== piece.hashes.content_hash
        ? new RouteError(tagged("content_hash_mismatch"))
        : !close && piece.size % unit !== 0
          ? new SessionFailed("concurrent_session_invalid_data_size")
          : session.closed
            ? new SessionFailed("closed")
            : undefined;
    piece.hold();
    if (refused) piece.release();
    if (refused) throw refused;
    // A piece may come again, whose answer was lost. An empty one only closes.
    if (piece.size === 0) return;
    session.pieces.get(offset)?.release();
    session.pieces.set(offset, piece);
  }

  /** @throws RouteError 409 where pieces are missing */
  async #joined({ writer, pieces }: Session): Promise<Content> {
    const sorted = [...pieces].sort(([one], [other]) => one - other);
    let end = 0;
    for (const [offset, piece] of sorted) {
      if (offset !== end) throw new RouteError(tagged("concurrent_session_missing_data"));
      end += piece.size;
    }
    for (const [, piece] of sorted)
      for await (const chunk of piece.read() as AsyncIterable<Buffer>) await writer.write(chunk);
    return (await writer.finish()).hold();
  }

  get #requestLimit(): number {
    return this.#options.requestLimit ?? 150 * 1024 * 1024;
  }

  async #dropExpired(): Promise<void> {
    const now = this.#clock.now();
    let over = this.#sessions.size - mostSessions;
    for (const session of [...this.#sessions.values()]) {
      if ((session.expires <= now || over > 0) && !session.busy) await this.#drop(session);
      over -= 1;
    }
  }

  async #drop(session: Session): Promise<void> {
    this.#sessions.delete(session.id);
    this.#release(session);
    if (session.busy) return;
    if (!session.committed) session.content?.release();
    await session.writer.abort();
  }

  #release({ pieces }: Session): void {
    for (const piece of pieces.values()) piece.release();
    pieces.clear();
  }
}

function wrongOffset(size: number): SessionFailed {
  return new SessionFailed("incorrect_offset", { correct_offset: size });
}

/** The bytes of a request, as many as it may have. @throws RouteError 409 */
export async function* limited(bytes: AsyncIterable<Buffer>, most: number): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > most) throw new RouteError(tagged("payload_too_large"));
    yield chunk;
  }
}
