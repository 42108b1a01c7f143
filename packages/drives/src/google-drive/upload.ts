import { randomUUID } from "node:crypto";
import mime from "mime";
import { DriveError } from "../drive.ts";
import { LostAnswer, type RequestBody } from "../remote/http/index.ts";
import type { Body, Item, Target, UploadSession, WriteOptions } from "../remote/vendor.ts";
import type { DriveClient, Query } from "./client.ts";
import { Md5 } from "./hash.ts";
import type { IdSupply } from "./ids.ts";
import { type DriveFile, type DriveFileV2, fileFields, fileFieldsV2, fromV2 } from "./items.ts";
import { type AppProperties, toAppProperties } from "./properties.ts";

/** How often a fragment goes on where the service stands. */
const attempts = 6;
/** How often a condition is looked at anew because something else of the file than its bytes has changed. */
const looks = 3;

/** What an upload leads to, and how it is told. */
interface Plan {
  readonly method: "POST" | "PATCH" | "PUT";
  /** Such as `v3/files`. */
  readonly path: string;
  readonly query: Query;
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The id that the file has then. */
  readonly id: string;
  /** Whether the call may be made twice. */
  readonly repeatable: boolean;
  readonly v2: boolean;
}

/** Uploads of whole files, in one call or in sessions. */
export class Uploads {
  readonly #client: DriveClient;
  readonly #ids: IdSupply;
  readonly #keepRevisions: string | undefined;

  constructor(client: DriveClient, ids: IdSupply, keepRevisions = false) {
    this.#client = client;
    this.#ids = ids;
    this.#keepRevisions = keepRevisions ? "true" : undefined;
  }

  /** As `Vendor.upload`. */
  async upload(target: Target, body: Body, options: WriteOptions): Promise<DriveFile> {
    return this.#conditionally(target, options, async (plan) => {
      const { contentType, content } = related(plan.metadata, typeOf(target.name), body);
      try {
        const { body: answer } = await this.#client.http.json<DriveFile | DriveFileV2>({
          endpoint: `${plan.method} upload`,
          method: plan.method,
          url: this.#client.upload(plan.path, { ...plan.query, uploadType: "multipart" }),
          headers: { ...plan.headers, "content-type": contentType, "accept-encoding": "gzip" },
          body: content,
          repeatable: plan.repeatable,
          signal: options.signal,
        });
        return plan.v2 ? fromV2(answer as DriveFileV2) : (answer as DriveFile);
      } catch (error) {
        const made = isCode(error, "Exists") ? await this.#made(plan.id, body) : undefined;
        if (made) return made;
        throw error;
      }
    });
  }

  /** As `Vendor.startUpload`. */
  async start(
    target: Target,
    size: number,
    options: WriteOptions,
    itemOf: (file: DriveFile) => Item,
  ): Promise<UploadSession> {
    return this.#conditionally(target, options, async (plan) => {
      const { headers } = await this.#client.json({
        endpoint: `${plan.method} resumable upload`,
        method: plan.method,
        url: this.#client.upload(plan.path, { ...plan.query, uploadType: "resumable" }),
        headers: {
          ...plan.headers,
          "x-upload-content-type": typeOf(target.name),
          "x-upload-content-length": String(size),
        },
        content: plan.metadata,
        // Nothing comes of a session that is never used.
        repeatable: true,
        signal: options.signal,
      });
      const { location } = headers;
      if (location === undefined)
        throw new DriveError("Unavailable", "Google Drive gave no address for an upload");
      return new Session(this.#client, location, size, plan, itemOf);
    });
  }

  /** What a call with a generated id that was repeated has made. */
  async #made(id: string, body: Body): Promise<DriveFile | undefined> {
    const file = await getFile(this.#client, id);
    if (!file || file.size !== String(body.size)) return undefined;
    const hash = new Md5();
    for await (const chunk of body.read(0, body.size)) hash.update(chunk);
    return file.md5Checksum === hash.digest() ? file : undefined;
  }

  async #conditionally<T>(
    target: Target,
    options: WriteOptions,
    send: (plan: Plan) => Promise<T>,
  ): Promise<T> {
    for (let look = 1; ; look += 1) {
      const plan = await this.#plan(target, options);
      try {
        return await send(plan);
      } catch (error) {
        if (!plan.v2 || look === looks || !isCode(error, "Changed")) throw error;
      }
    }
  }

  async #plan({ folder, name, replaces }: Target, options: WriteOptions): Promise<Plan> {
    const { modified, condition, signal } = options;
    const modifiedTime = modified === undefined ? undefined : new Date(modified).toISOString();
    if (!replaces) {
      const id = await this.#ids.take();
      const appProperties =
        options.properties === undefined ? undefined : toAppProperties(options.properties);
      const metadata = { id, name, parents: [folder.id], modifiedTime, appProperties };
      const query = { fields: fileFields };
      return {
        method: "POST",
        path: "v3/files",
        query,
        headers: {},
        metadata,
        id,
        repeatable: true,
        v2: false,
      };
    }
    if (replaces.inline)
      throw new DriveError(
        "AccessDenied",
        "This stands for a document of Google's own or a shortcut and cannot be overwritten; remove it first.",
      );
    const { id } = replaces;
    const clears = options.properties !== undefined || replaces.properties !== undefined;
    const appProperties = clears ? toAppProperties(options.properties) : undefined;
    const renamed = name === replaces.name ? undefined : name;
    if (condition !== "unchanged") {
      const metadata = { name: renamed, modifiedTime, appProperties };
      const query = { fields: fileFields, keepRevisionForever: this.#keepRevisions };
      const path = `v3/files/${encodeURIComponent(id)}`;
      return { method: "PATCH", path, query, headers: {}, metadata, id, repeatable: true, v2: false };
    }
    const etag = await etagOf(this.#client, replaces, signal);
    return {
      method: "PUT",
      path: `v2/files/${encodeURIComponent(id)}`,
      query: {
        fields: fileFieldsV2,
        pinned: this.#keepRevisions,
        modifiedDateBehavior: modifiedTime === undefined ? undefined : "fromBody",
      },
      headers: { "if-match": etag },
      metadata: { title: renamed, modifiedDate: modifiedTime, properties: propertyList(appProperties) },
      id,
      repeatable: false,
      v2: true,
    };
  }
}

/**
 * The tag by which version 2 writes only while a file is as it was.
 * @throws DriveError `Changed` where its bytes are others by now, or it is gone
 */
export async function etagOf(client: DriveClient, item: Item, signal?: AbortSignal): Promise<string> {
  const { status, body } = await client.json<DriveFileV2>({
    endpoint: "GET v2 file",
    method: "GET",
    url: client.v2(`files/${encodeURIComponent(item.id)}`, { fields: fileFieldsV2 }),
    accept: [404],
    signal,
  });
  const file = status === 404 ? undefined : fromV2(body);
  const version = file && (file.headRevisionId ?? file.md5Checksum ?? file.modifiedTime);
  if (
    !file ||
    file.trashed ||
    (item.kind === "file" && !item.inline && version !== item.version) ||
    !body.etag
  )
    throw new DriveError("Changed", "The file was changed in Google Drive.");
  return body.etag;
}

/** The file as it is now; undefined when it is gone. */
export async function getFile(
  client: DriveClient,
  id: string,
  signal?: AbortSignal,
): Promise<DriveFile | undefined> {
  const { status, body } = await client.json<DriveFile>({
    endpoint: "GET file",
    method: "GET",
    url: client.v3(`files/${encodeURIComponent(id)}`, { fields: fileFields }),
    accept: [404],
    signal,
  });
  return status === 404 ? undefined : body;
}

class Session implements UploadSession {
  readonly state: string;
  readonly #client: DriveClient;
  readonly #address: string;
  readonly #size: number;
  readonly #plan: Plan;
  readonly #itemOf: (file: DriveFile) => Item;

  constructor(
    client: DriveClient,
    address: string,
    size: number,
    plan: Plan,
    itemOf: (file: DriveFile) => Item,
  ) {
    this.#client = client;
    this.#address = address;
    this.#size = size;
    this.#plan = plan;
    this.#itemOf = itemOf;
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
      if (position >= end && end < this.#size) return undefined;
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
    const { status, headers, body } = await this.#client.http.json<DriveFile | DriveFileV2>({
      endpoint: "PUT session",
      method: "PUT",
      url: this.#address,
      headers: { "content-range": `bytes ${range}/${this.#size}`, "accept-encoding": "gzip" },
      body: content,
      // The address is all it takes.
      authorized: false,
      accept: [308, 404, 410],
      repeatable,
      signal,
    });
    if (status === 308) return Number(/-(\d+)$/.exec(headers.range ?? "")?.[1] ?? -1) + 1;
    if (status !== 404 && status !== 410)
      return this.#itemOf(this.#plan.v2 ? fromV2(body as DriveFileV2) : (body as DriveFile));
    // A session that was ended by its last fragment is forgotten some time.
    const made = this.#plan.method === "POST" ? await getFile(this.#client, this.#plan.id) : undefined;
    if (made?.size === String(this.#size)) return this.#itemOf(made);
    throw new DriveError("Gone", "Google Drive no longer knows of the upload");
  }
}

const bytesOf = (body: Body, start: number, end: number): RequestBody =>
  start === end ? new Uint8Array(0) : { size: end - start, read: () => body.read(start, end) };

/** Metadata and bytes in one body. */
function related(metadata: object, type: string, body: Body): { contentType: string; content: RequestBody } {
  const boundary = randomUUID();
  const head = Buffer.from(
    `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(metadata)}\r\n` +
      `--${boundary}\r\nContent-Type: ${type}\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  async function* read() {
    yield head;
    yield* body.read(0, body.size);
    yield tail;
  }
  return {
    contentType: `multipart/related; boundary=${boundary}`,
    content: { size: head.length + body.size + tail.length, read },
  };
}

/** The type by which Google shows a file. One of Google's own would convert it. */
function typeOf(name: string): string {
  const type = mime.getType(name);
  return type === null || type.includes("google-apps") ? "application/octet-stream" : type;
}

const propertyList = (entries: AppProperties | undefined) =>
  entries && Object.entries(entries).map(([key, value]) => ({ key, value, visibility: "PRIVATE" }));

export const isCode = (error: unknown, code: DriveError["code"]) =>
  error instanceof DriveError && error.code === code;
