import { DriveError } from "../drive.ts";
import { exactly, placed } from "../remote/http/index.ts";
import type { Item } from "../remote/vendor.ts";
import { type DriveClient, vendorName } from "./client.ts";
import { type DriveFile, versionOf } from "./items.ts";

/**
 * Reads the bytes of one version of a file: by its revision, which stays what it is when the file gets another one.
 * Who may not see revisions, as a mere reader of the file, gets the bytes of the file, and then is told when these
 * are others.
 */
export class Downloads {
  readonly #client: DriveClient;
  readonly #acknowledgeAbuse: string | undefined;
  #revisionsRefused = false;

  constructor(client: DriveClient, acknowledgeAbuse = false) {
    this.#client = client;
    this.#acknowledgeAbuse = acknowledgeAbuse ? "true" : undefined;
  }

  /** As `Vendor.read`. @throws DriveError */
  async read(item: Item, start: number, end: number, signal?: AbortSignal): Promise<AsyncIterable<Buffer>> {
    let refused = false;
    if (!this.#revisionsRefused)
      try {
        return await this.revision(item.id, item.version, item.size, start, end, signal);
      } catch (error) {
        const code = error instanceof DriveError ? error.code : undefined;
        if (code !== "AccessDenied" && code !== "NotFound") throw error;
        await this.#check(item, signal);
        refused = code === "AccessDenied";
      }
    const bytes = await this.#fetch(`files/${encodeURIComponent(item.id)}`, item.size, start, end, signal);
    this.#revisionsRefused ||= refused;
    // A whole file is checked by its hash in the end; of a part only the file itself can tell whose it is.
    if (end - start < item.size || item.hash === undefined) await this.#check(item, signal);
    return bytes;
  }

  /** Bytes of a revision of that size. @throws DriveError */
  revision(
    id: string,
    revision: string,
    size: number,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<AsyncIterable<Buffer>> {
    const path = `files/${encodeURIComponent(id)}/revisions/${encodeURIComponent(revision)}`;
    return this.#fetch(path, size, start, end, signal);
  }

  async #fetch(
    path: string,
    size: number,
    start: number,
    end: number,
    signal: AbortSignal | undefined,
  ): Promise<AsyncIterable<Buffer>> {
    const whole = start === 0 && end === size;
    const reply = await this.#client.http.stream({
      endpoint: "GET download",
      method: "GET",
      url: this.#client.v3(path, { alt: "media", acknowledgeAbuse: this.#acknowledgeAbuse }),
      headers: whole ? {} : { range: `bytes=${start}-${end - 1}` },
      signal,
    });
    const { body, skip, total } = placed(reply, start);
    if (total === size) return exactly(body, skip, end - start, vendorName);
    body.destroy();
    throw changed();
  }

  /** @throws DriveError `NotFound` or `Changed` where the file is no longer this version */
  async #check({ id, version }: Item, signal: AbortSignal | undefined): Promise<void> {
    const { body } = await this.#client.http.json<DriveFile>({
      endpoint: "GET file",
      method: "GET",
      url: this.#client.v3(`files/${encodeURIComponent(id)}`, {
        fields: "id,headRevisionId,md5Checksum,modifiedTime",
      }),
      signal,
    });
    if (versionOf(body) !== version) throw changed();
  }
}

const changed = () => new DriveError("Changed", "The file was changed in Google Drive.");
