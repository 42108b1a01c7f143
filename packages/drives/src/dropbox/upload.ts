import { DriveError } from "../drive.ts";
import { LostAnswer } from "../remote/http/index.ts";
import type { Body, Item, Target, UploadSession, WriteOptions } from "../remote/vendor.ts";
import { type DropboxClient, fitsHeader, RouteError } from "./client.ts";
import type { CommitInfo, Committer } from "./committer.ts";
import { hashOf } from "./hash.ts";
import { type Metadata, pathIn } from "./items.ts";
import { groupOf, type Templates, textOf } from "./properties.ts";
import { ConcurrentSession, SequentialSession } from "./sessions.ts";

/** What uploads need of their drive. */
export interface UploadParts {
  readonly client: DropboxClient;
  readonly committer: Committer;
  readonly templates: Templates;
  /** The file or folder at a path, with its text. */
  look(path: string): Promise<Metadata | undefined>;
  /** The item that a write has led to. */
  take(json: Metadata): Item;
  setProperties(item: Item, properties: string): Promise<Item>;
  /** Most bytes of a file whose fragments go one after the other, where the first and the last call carry one. */
  readonly mostInOrder: number;
}

/** Uploads of one drive. */
export class Uploads {
  readonly #parts: UploadParts;
  /** Whether answers to uploads do not tell the text that came with them. */
  #silent = false;

  constructor(parts: UploadParts) {
    this.#parts = parts;
  }

  /**
   * As `Vendor.upload`: one call, but while another write is under way the bytes go ahead and join the next batch, and
   * so they do with a text that is too long for a header.
   */
  async whole(target: Target, body: Body, options: WriteOptions = {}): Promise<Item> {
    const { client, committer } = this.#parts;
    const { condition, signal } = options;
    const bytes = { size: body.size, read: () => body.read(0, body.size) };
    return this.commit(target, body, options, async (commit, retried) => {
      if (committer.idle && fitsHeader(commit)) {
        const repeatable = condition === undefined;
        const upload = () => client.upload<Metadata>("files/upload", commit, bytes, { repeatable, signal });
        return committer.run(upload, signal);
      }
      const { session_id } = await client.upload<{ session_id: string }>(
        "files/upload_session/start",
        { close: true },
        bytes,
        { repeatable: true, signal },
      );
      return committer.finish({ cursor: { session_id, offset: body.size }, commit }, retried);
    });
  }

  /** As `Vendor.startUpload`. */
  async start(target: Target, size: number, options: WriteOptions = {}): Promise<UploadSession> {
    const { client, committer, mostInOrder } = this.#parts;
    const finish = (body: Body, properties = options.properties, act: Act) =>
      this.commit(target, body, { ...options, properties }, act);
    if (size <= mostInOrder) return new SequentialSession({ client, committer, finish });
    const { session_id } = await client.upload<{ session_id: string }>(
      "files/upload_session/start",
      { session_type: "concurrent" },
      "",
      { repeatable: true, signal: options.signal },
    );
    return new ConcurrentSession({ client, committer, finish }, session_id);
  }

  /**
   * Makes a file of bytes by a call whose outcome is looked at where its answer does not tell.
   * @throws DriveError `Exists` or `Changed` by the condition
   */
  async commit(target: Target, body: Body, options: WriteOptions, act: Act): Promise<Item> {
    const { look, take } = this.#parts;
    const path = pathIn(target.folder.id, target.name);
    let unsure = false;
    let json: Metadata | undefined;
    try {
      json = await act(await this.#info(path, target, options), () => {
        unsure = true;
      });
    } catch (error) {
      if (error instanceof RouteError && error.is("properties_error")) {
        // The file is there, but its text is not.
        this.#parts.templates.forget();
        json = await look(path);
        if (!json) throw error;
        return this.#parts.setProperties(take(json), options.properties!);
      } else {
        unsure ||= error instanceof LostAnswer;
        const refused = error instanceof RouteError && (error.is("conflict") || error.is("lookup_failed"));
        if (unsure || refused) json = await this.#arrived(path, target, body, options, unsure);
        if (!json) throw meaning(error, options.condition);
      }
    }
    return this.#described(path, take(json), json, target, options.properties);
  }

  async #info(
    path: string,
    { replaces }: Target,
    { condition, modified, properties }: WriteOptions,
  ): Promise<CommitInfo> {
    const mode =
      condition === "absent"
        ? "add"
        : condition === "unchanged" && replaces
          ? ({ ".tag": "update", update: replaces.version } as const)
          : "overwrite";
    return {
      path,
      mode,
      // Without it bytes that are the same are no conflict, and neither is a file that is gone.
      strict_conflict: condition !== undefined,
      autorename: false,
      mute: true,
      ...(modified !== undefined && { client_modified: timestamp(modified) }),
      ...(properties !== undefined && {
        property_groups: [groupOf(await this.#parts.templates.id(), properties)],
      }),
    };
  }

  /**
   * The file that a call has led to whose answer was lost or says that nothing is left to do.
   * @param unsure the call may have been done before it was refused
   */
  async #arrived(
    path: string,
    { replaces }: Target,
    body: Body,
    { condition }: WriteOptions,
    unsure: boolean,
  ): Promise<Metadata | undefined> {
    const json = await this.#parts.look(path);
    if (json?.rev === undefined || json.size !== body.size) return undefined;
    // The same bytes again may have been taken for a conflict, or changed nothing.
    const unchanged = json.rev === replaces?.version && condition !== "absent";
    if (!unchanged && !unsure) return undefined;
    return (await hashOf(body)) === json.content_hash ? json : undefined;
  }

  /** Sees to it that a text is kept with the file that it came with. */
  async #described(
    path: string,
    item: Item,
    json: Metadata,
    { replaces }: Target,
    properties: string | undefined,
  ): Promise<Item> {
    if (properties === undefined || textOf(json.property_groups) === properties) return item;
    const isNew = item.version !== replaces?.version;
    if (json.property_groups === undefined && isNew) {
      if (this.#silent) return { ...item, properties };
      const now = await this.#parts.look(path);
      if (now?.rev === item.version && textOf(now.property_groups) === properties) {
        this.#silent = true;
        return { ...item, properties };
      }
    }
    return this.#parts.setProperties(item, properties);
  }
}

/** Makes the call that commits. @param retried told when it is made again though it may have been done */
export type Act = (commit: CommitInfo, retried: () => void) => Promise<Metadata>;

function meaning(error: unknown, condition: WriteOptions["condition"]): unknown {
  if (!(error instanceof RouteError)) return error;
  if (error.is("lookup_failed")) return new DriveError("Gone", "Dropbox no longer has this upload.");
  if (condition === "unchanged" && error.is("conflict", "file"))
    return new DriveError("Changed", "The file was changed in Dropbox.");
  if (error.is("content_hash_mismatch"))
    return new DriveError("Unavailable", "The bytes did not reach Dropbox as they were sent; try again.");
  return error;
}

/** Whole seconds are all that is kept. */
const timestamp = (milliseconds: number) => new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");
