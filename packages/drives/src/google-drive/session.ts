import { DriveError } from "../drive.ts";
import { LostAnswer, type RequestBody } from "../remote/http/index.ts";
import type { Body, Item, UploadSession } from "../remote/vendor.ts";
import type { DriveClient } from "./client.ts";
import { getFile } from "./files.ts";
import { type DriveFile, type DriveFileV2, fromV2 } from "./items.ts";

/** How often a fragment goes on where the service stands. */
const attempts = 6;

/** What a session is to make. */
export interface SessionPlan {
  /** Whether answers are those of version 2. */
  readonly v2: boolean;
  /** The id of a file that does not exist before it. */
  readonly creates: string | undefined;
  /** Bytes. */
  readonly size: number;
  itemOf(file: DriveFile): Item;
}

/** A resumable upload. Its address is all it takes to go on with it. */
export class Session implements UploadSession {
  readonly state: string;
  readonly #client: DriveClient;
  readonly #address: string;
  readonly #plan: SessionPlan;

  constructor(client: DriveClient, address: string, plan: SessionPlan) {
    this.#client = client;
    this.#address = address;
    this.#plan = plan;
    this.state = address;
  }

  async send(body: Body, start: number, end: number, signal?: AbortSignal): Promise<Item | undefined> {
    let position = start;
    for (let failures = 0; ; ) {
      const before = position;
      try {
        const range = position === end ? "*" : `${position}-${end - 1}`;
        const stand = await this.#put(range, bytesOf(body, position, end), signal);
        if (typeof stand !== "number") return stand;
        position = stand;
      } catch (error) {
        if (!(error instanceof LostAnswer) || failures === attempts) throw error;
        const stand = await this.received();
        if (typeof stand !== "number") return stand;
        position = stand;
      }
      if (position < start) throw new DriveError("Gone", "Google Drive lost what it had of the upload");
      if (position >= end && end < this.#plan.size) return undefined;
      // The service may keep less than it was sent.
      failures = position > before ? 0 : failures + 1;
      if (failures > attempts)
        throw new DriveError("Unavailable", "Google Drive keeps nothing of the upload");
    }
  }

  async received(): Promise<number | Item> {
    return this.#put("*", new Uint8Array(0), undefined, true);
  }

  /** Google has no call for it: a session that nobody goes on with ends by itself, and shows nowhere. */
  async cancel(): Promise<void> {}

  async #put(
    range: string,
    content: RequestBody,
    signal: AbortSignal | undefined,
    repeatable = false,
  ): Promise<number | Item> {
    const { v2, creates, size, itemOf } = this.#plan;
    const { status, headers, body } = await this.#client.http.json<DriveFile | DriveFileV2>({
      endpoint: "PUT session",
      method: "PUT",
      url: this.#address,
      headers: { "content-range": `bytes ${range}/${size}` },
      body: content,
      // The address is all it takes.
      authorized: false,
      accept: [308, 404, 410],
      repeatable,
      signal,
    });
    if (status === 308) return Number(/-(\d+)$/.exec(headers.range ?? "")?.[1] ?? -1) + 1;
    if (status !== 404 && status !== 410)
      return itemOf(v2 ? fromV2(body as DriveFileV2) : (body as DriveFile));
    // A session that was ended by its last fragment is forgotten some time.
    const made = creates === undefined ? undefined : await getFile(this.#client, creates);
    if (made?.size === String(size)) return itemOf(made);
    throw new DriveError("Gone", "Google Drive no longer knows of the upload");
  }
}

const bytesOf = (body: Body, start: number, end: number): RequestBody =>
  start === end ? new Uint8Array(0) : { size: end - start, read: () => body.read(start, end) };
