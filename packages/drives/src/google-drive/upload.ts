import { randomUUID } from "node:crypto";
import mime from "mime";
import { DriveError } from "../drive.ts";
import type { RequestBody } from "../remote/http/index.ts";
import type { Body, Item, Target, UploadSession, WriteOptions } from "../remote/vendor.ts";
import { type DriveClient, isCode, type Query } from "./client.ts";
import { etagOf, getFile } from "./files.ts";
import { Md5 } from "./hash.ts";
import type { IdSupply } from "./ids.ts";
import { type DriveFile, type DriveFileV2, fileFields, fileFieldsV2, fromV2, timeOf } from "./items.ts";
import { type AppProperties, toAppProperties } from "./properties.ts";
import { Session } from "./session.ts";

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
          headers: { ...plan.headers, "content-type": contentType },
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
      const { headers } = await this.#client.http.json({
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
      const creates = plan.method === "POST" ? plan.id : undefined;
      return new Session(this.#client, location, { v2: plan.v2, creates, size, itemOf });
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
    const modifiedTime = timeOf(modified);
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
