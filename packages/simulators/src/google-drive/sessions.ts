import { randomBytes } from "node:crypto";
import type { Call, Reply } from "../drives/call.ts";
import type { Clock } from "../drives/clock.ts";
import type { Content, ContentStore, ContentWriter } from "../drives/content.ts";
import { badRequest, DriveApiError } from "./errors.ts";
import type { GoogleDriveOptions } from "./options.ts";

/** Requests but the last are multiples of this. */
const chunkMultiple = 256 * 1024;
const weekSeconds = 7 * 86_400;
const mostSessions = 1000;
/** Finished sessions of which the answer is still known. */
const mostFinished = 1000;

/** Makes a file of what a session has brought. */
export type Commit = (content: Content) => Reply;

interface Session {
  readonly id: string;
  readonly commit: Commit;
  readonly writer: ContentWriter;
  readonly expires: number;
  /** Bytes of the file, where they were told. */
  total: number | undefined;
  busy: boolean;
  /** What the end was answered with. */
  answer: Reply | undefined;
}

/** Resumable uploads. The address of a session is all that it takes to go on with it. */
export class Sessions {
  readonly #clock: Clock;
  readonly #store: ContentStore;
  readonly #options: GoogleDriveOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #finished = new Map<string, Session>();

  constructor(clock: Clock, store: ContentStore, options: GoogleDriveOptions) {
    this.#clock = clock;
    this.#store = store;
    this.#options = options;
  }

  get open(): number {
    return this.#sessions.size;
  }

  /** @param total bytes of the file, where the client told @returns its id */
  async create(total: number | undefined, commit: Commit): Promise<string> {
    await this.#dropExpired();
    if (this.#sessions.size >= mostSessions)
      throw new DriveApiError(429, "rateLimitExceeded", "Too many upload sessions are open.");
    const id = `ABg5-${randomBytes(24).toString("base64url")}`;
    const expires = this.#clock.now() + (this.#options.sessionSeconds ?? weekSeconds) * 1000;
    const writer = this.#store.writer();
    this.#sessions.set(id, { id, commit, writer, expires, total, busy: false, answer: undefined });
    return id;
  }

  /** Answers a request to the address of a session. @throws DriveApiError 400, 404, 405 */
  async answer(call: Call, id: string): Promise<Reply> {
    await this.#dropExpired();
    const session = this.#sessions.get(id) ?? this.#finished.get(id);
    if (!session) throw new DriveApiError(404, "notFound", "The upload session was not found.");
    if (call.method !== "PUT" && call.method !== "POST")
      throw new DriveApiError(405, "httpMethodNotAllowed", "An upload goes on with PUT.");
    const asked = rangeOf(call);
    if (session.answer) return session.answer;
    if (asked.total !== undefined) {
      if (session.total !== undefined && session.total !== asked.total)
        throw badRequest(`The size of the upload was ${session.total} bytes before.`);
      session.total = asked.total;
    }
    if (session.busy)
      throw new DriveApiError(409, "conflict", "Another request of the session is on its way.");
    if (asked.length > 0) await this.#take(session, call, asked);
    const { writer, total } = session;
    return writer.size === total ? this.#finish(session) : incomplete(writer.size);
  }

  /** Ends all sessions. */
  async dropAll(): Promise<void> {
    for (const session of [...this.#sessions.values()]) await this.#drop(session);
    this.#finished.clear();
  }

  async #take(session: Session, call: Call, { start, length, total }: Range): Promise<void> {
    const { writer } = session;
    if (start !== writer.size)
      throw badRequest(`The upload offset is ${start} byte(s), but ${writer.size} byte(s) have come so far.`);
    const last = total !== undefined && start + length === total;
    if (total !== undefined && start + length > total) throw badRequest("The range ends behind the file.");
    if (!last && length % chunkMultiple !== 0)
      throw badRequest(`A chunk but the last must be a multiple of ${chunkMultiple} bytes.`);
    const most = this.#options.keptOfChunk ?? Number.POSITIVE_INFINITY;
    let left = Math.min(length, most);
    session.busy = true;
    try {
      for await (const chunk of call.body) {
        await this.#write(writer, chunk.subarray(0, left));
        left -= Math.min(left, chunk.length);
      }
      if (left > 0) throw badRequest("The body is shorter than its range.");
      if (last && writer.size === total) writer.mark();
      else writer.rewind();
    } catch (error) {
      // Of what broke off, whole units stay.
      writer.rewind();
      throw error;
    } finally {
      session.busy = false;
    }
  }

  /** Writes bytes, and marks what is kept whatever comes: whole units. */
  async #write(writer: ContentWriter, bytes: Buffer): Promise<void> {
    let at = 0;
    while (at < bytes.length) {
      const unit = chunkMultiple - (writer.size % chunkMultiple);
      const piece = bytes.subarray(at, at + unit);
      await writer.write(piece);
      at += piece.length;
      if (writer.size % chunkMultiple === 0) writer.mark();
    }
  }

  async #finish(session: Session): Promise<Reply> {
    this.#sessions.delete(session.id);
    const content = (await session.writer.finish()).hold();
    try {
      session.answer = session.commit(content);
    } finally {
      content.release();
    }
    this.#finished.set(session.id, session);
    if (this.#finished.size > mostFinished) this.#finished.delete(this.#finished.keys().next().value!);
    return session.answer;
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

interface Range {
  readonly start: number;
  /** 0 where it only asks how far the upload is. */
  readonly length: number;
  readonly total: number | undefined;
}

function incomplete(size: number): Reply {
  // 308 is no redirect here: it says what is there so far.
  return { status: 308, headers: size > 0 ? { range: `bytes=0-${size - 1}` } : {} };
}

/** @throws DriveApiError 400, 411 */
function rangeOf({ headers }: Call): Range {
  const { "content-range": text, "content-length": sent } = headers;
  if (sent === undefined) throw new DriveApiError(411, "lengthRequired", "A chunk needs a Content-Length.");
  const length = Number(sent);
  if (text === undefined) return { start: 0, length, total: length };
  const [, first, last, all] = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(text) ?? [];
  if (all === undefined) throw badRequest("The Content-Range must be 'bytes FIRST-LAST/TOTAL'.");
  const total = all === "*" ? undefined : Number(all);
  const expected = first === undefined ? 0 : Number(last) - Number(first) + 1;
  if (length !== expected) throw badRequest("Content-Range and Content-Length do not agree.");
  return { start: Number(first ?? 0), length, total };
}
