import { DriveError } from "../drive.ts";
import { LostAnswer } from "../remote/http/index.ts";
import type { Body, Item, Target, UploadSession, WriteOptions } from "../remote/vendor.ts";
import type { GraphClient } from "./client.ts";
import { QuickXorHash } from "./hash.ts";
import { type DriveItem, versionOf } from "./items.ts";
import type { Moves } from "./moves.ts";
import { isRewritten } from "./naming.ts";
import { conflictBehavior, ifMatch, type Take, times } from "./writes.ts";

/** How often a call is made that got no answer, or one that may be wrong. */
const attempts = 4;
/** Milliseconds between them, and between looks at a name that another upload holds. */
const pause = 500;
/** How often that is looked at before the upload goes another way. */
const looks = 6;

/** Uploads of one drive. */
export class Uploads {
  readonly #graph: GraphClient;
  readonly #take: Take;
  readonly #moves: Moves;

  constructor(graph: GraphClient, take: Take, moves: Moves) {
    this.#graph = graph;
    this.#take = take;
    this.#moves = moves;
  }

  /** As `Vendor.upload`: one call, but two where the file is to have a time of its own. */
  async whole(target: Target, body: Body, options: WriteOptions = {}): Promise<Item> {
    const { condition, modified, signal } = options;
    if (modified !== undefined && body.size > 0) {
      const session = await this.start(target, body.size, options);
      try {
        return (await session.send(body, 0, body.size, signal))!;
      } catch (error) {
        await session.cancel();
        throw error;
      }
    }
    const place = this.#place(target);
    const conflict = condition === "absent" ? "fail" : "replace";
    const upload = () =>
      this.#graph.http.json<DriveItem>({
        endpoint: "PUT content",
        method: "PUT",
        url: `${place}/content?${conflictBehavior}=${conflict}`,
        headers: { "content-type": "application/octet-stream", ...ifMatch(target, condition) },
        body: { size: body.size, read: () => body.read(0, body.size) },
        signal,
      });
    for (let attempt = 1; ; attempt += 1) {
      try {
        const json = (await upload()).body;
        return modified === undefined ? this.#take(json) : await this.#setTime(json, modified);
      } catch (error) {
        if (attempt === attempts || !(await this.#mayGoOn(error, target, condition))) throw error;
        if (!(error instanceof LostAnswer)) continue;
        const arrived = await this.#arrived(target, body, signal);
        if (arrived) return this.#take(arrived);
        await this.#graph.clock.sleep(pause * attempt, signal);
      }
    }
  }

  /**
   * As `Vendor.startUpload`. Only one session of a name may be open on Business, and one whose answer was lost stays
   * open for days: a second one waits for a moment, and then goes aside to be moved over when it is whole.
   */
  async start(target: Target, size: number, options: WriteOptions = {}): Promise<UploadSession> {
    const { condition, modified, signal } = options;
    const url = `${this.#place(target)}/createUploadSession`;
    const item = {
      [conflictBehavior]: condition === "absent" ? "fail" : "replace",
      ...(modified !== undefined && { fileSystemInfo: times(modified) }),
      // Refused at once where there is no space for it.
      ...(this.#graph.driveType === "personal" && { fileSize: size }),
    };
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { body } = await this.#graph.http.json<{ uploadUrl: string }>({
          endpoint: "POST createUploadSession",
          method: "POST",
          url,
          headers: ifMatch(target, condition),
          content: { item },
          signal,
        });
        return this.#session(body.uploadUrl, target, size);
      } catch (error) {
        if (isCode(error, "Exists")) {
          if (await this.#isThere(target, condition, signal)) throw error;
          if (attempt >= looks) return this.#startAside(target, size, options);
          await this.#graph.clock.sleep(pause, signal);
        } else if (attempt >= attempts || !(await this.#mayGoOn(error, target, condition))) throw error;
      }
    }
  }

  async #startAside(target: Target, size: number, options: WriteOptions): Promise<UploadSession> {
    const session = await this.start(await this.#moves.aside(), size, { ...options, condition: "absent" });
    const { condition, signal } = options;
    const settle = (item: Item) => this.#moves.settle(item, target, { condition, signal });
    return {
      ...session,
      async send(...fragment) {
        const item = await session.send(...fragment);
        return item && settle(item);
      },
      async received() {
        const received = await session.received();
        return typeof received === "number" ? received : settle(received);
      },
    };
  }

  /** As `Vendor.cancelUpload`. */
  async cancel(url: string): Promise<void> {
    await this.#graph.http.json({
      endpoint: "DELETE upload",
      method: "DELETE",
      url,
      authorized: false,
      repeatable: true,
      accept: [404, 410],
    });
  }

  #session(url: string, target: Target, size: number): UploadSession {
    return {
      state: url,
      send: (body, start, end, signal) => this.#send(url, target, body, start, end, signal),
      received: async () => {
        const received = await this.#received(url);
        if (received !== undefined) return received;
        const json = await this.#graph.item(this.#place(target));
        if (json && this.#mayBe(json, target, size)) return this.#take(json);
        throw gone();
      },
      cancel: () => this.cancel(url),
    };
  }

  async #send(
    url: string,
    target: Target,
    body: Body,
    from: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<Item | undefined> {
    let start = from;
    for (let attempt = 1; ; attempt += 1) {
      let failure: unknown = gone();
      try {
        const { status, body: json } = await this.#graph.http.json<DriveItem>({
          endpoint: "PUT upload",
          method: "PUT",
          url,
          headers: { "content-range": `bytes ${start}-${end - 1}/${body.size}` },
          body: { size: end - start, read: () => body.read(start, end) },
          authorized: false,
          // Received already; or the session is gone, or not known everywhere yet.
          accept: [404, 416],
          signal,
        });
        if (status === 200 || status === 201) return this.#take(json);
        if (status === 202) return undefined;
      } catch (error) {
        if (!(error instanceof LostAnswer)) throw error;
        failure = error;
      }
      const received = await this.#received(url);
      if (received === undefined && end === body.size) {
        const arrived = await this.#arrived(target, body, signal);
        if (arrived) return this.#take(arrived);
      }
      if (received !== undefined && received >= end && end < body.size) return undefined;
      if (received !== undefined && received < from) throw gone();
      if (attempt >= attempts) throw failure;
      if (received !== undefined && received < end) start = received;
      await this.#graph.clock.sleep(pause * attempt, signal);
    }
  }

  /** How many bytes a session has; undefined where it is gone. */
  async #received(url: string): Promise<number | undefined> {
    const { status, body } = await this.#graph.http.json<{ nextExpectedRanges?: string[] }>({
      endpoint: "GET upload",
      method: "GET",
      url,
      authorized: false,
      accept: [404, 410],
    });
    if (status !== 200) return undefined;
    const [next] = body.nextExpectedRanges ?? [];
    return next === undefined ? Number.POSITIVE_INFINITY : Number.parseInt(next, 10);
  }

  /** The item that an upload whose answer was lost has led to, if it has. */
  async #arrived(target: Target, body: Body, signal?: AbortSignal): Promise<DriveItem | undefined> {
    const json = await this.#graph.item(this.#place(target), signal);
    if (!json || !this.#mayBe(json, target, body.size)) return undefined;
    if (this.#rewrites(target)) return json;
    if (body.size === 0) return json;
    const hash = new QuickXorHash();
    for await (const chunk of body.read(0, body.size)) hash.update(chunk);
    return hash.digest() === json.file?.hashes?.quickXorHash ? json : undefined;
  }

  /** Whether an item is another one than there was, and not plainly of other bytes than were sent. */
  #mayBe(json: DriveItem, target: Target, size: number): boolean {
    const isNew = versionOf(json, this.#graph.driveType) !== target.replaces?.version;
    return json.file !== undefined && isNew && (json.size === size || this.#rewrites(target));
  }

  #rewrites({ name }: Target): boolean {
    return this.#graph.driveType === "documentLibrary" && isRewritten(name);
  }

  /**
   * Whether a failed call may be made again: a lost answer, and tags that the service calls stale though they are
   * not.
   */
  async #mayGoOn(error: unknown, target: Target, condition: WriteOptions["condition"]): Promise<boolean> {
    if (error instanceof LostAnswer) return true;
    if (!isCode(error, "Changed")) return false;
    if (condition !== "unchanged") return true;
    const json = await this.#graph.item(this.#place(target));
    return json !== undefined && versionOf(json, this.#graph.driveType) === target.replaces?.version;
  }

  /** Whether a refused name is taken by an item, and not only by another session. */
  async #isThere(
    target: Target,
    condition: WriteOptions["condition"],
    signal?: AbortSignal,
  ): Promise<boolean> {
    const json = await this.#graph.item(this.#place(target), signal);
    return json !== undefined && (condition === "absent" || json.file === undefined);
  }

  async #setTime({ id }: DriveItem, modified: number): Promise<Item> {
    const { body } = await this.#graph.http.json<DriveItem>({
      endpoint: "PATCH item",
      method: "PATCH",
      url: this.#graph.byId(id),
      content: { fileSystemInfo: times(modified) },
      repeatable: true,
    });
    return this.#take(body);
  }

  #place({ folder, name }: Target): string {
    return this.#graph.byPath(folder.id, [name]);
  }
}

const isCode = (error: unknown, code: DriveError["code"]) =>
  error instanceof DriveError && error.code === code;

const gone = () => new DriveError("Gone", "OneDrive no longer has this upload.");
