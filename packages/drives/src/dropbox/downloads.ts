import { DriveError } from "../drive.ts";
import { noBytes } from "../remote/body.ts";
import { type ByteStream, exactly, placed, type Reply } from "../remote/http/index.ts";
import { type DropboxClient, vendorName } from "./client.ts";
import type { Metadata } from "./items.ts";

/** A file whose content is read. */
interface Read {
  reads: number;
  /** A secret, good for four hours. */
  link: Promise<string | undefined> | undefined;
  /** Milliseconds since 1970. */
  expires: number;
}

/** Contents that are remembered. */
const mostReads = 10_000;
/** Reads of one content after which a link is asked for, which takes all further ones off the API. */
const readsBeforeLink = 4;
/** Milliseconds for which a link is used. */
const longestUse = 3.5 * 3_600_000;

/** Reads contents by their revision, so that they are always those that were asked for. */
export class Downloads {
  readonly #client: DropboxClient;
  /** By revision, those that were used last at the end. */
  readonly #reads = new Map<string, Read>();

  constructor(client: DropboxClient) {
    this.#client = client;
  }

  /** Bytes `start` to `end` of a revision of that size. @throws as `Vendor.read` */
  async read(
    rev: string,
    size: number,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    if (start >= end) return noBytes();
    const range = start === 0 && end === size ? undefined : `bytes=${start}-${end - 1}`;
    const { body, headers, status } = await this.#open(rev, range, signal);
    const reply = placed({ body, headers, status }, start);
    if (reply.total === size) return exactly(body, reply.skip, end - start, vendorName);
    body.destroy();
    throw new DriveError("Changed", "The file was changed in Dropbox.");
  }

  async #open(rev: string, range: string | undefined, signal?: AbortSignal): Promise<Reply<ByteStream>> {
    const link = await this.#link(rev);
    if (link !== undefined)
      try {
        return await this.#client.http.stream({
          endpoint: "GET link",
          method: "GET",
          url: link,
          headers: range === undefined ? {} : { range },
          authorized: false,
          signal,
        });
      } catch (error) {
        if (!hasEnded(error)) throw error;
        this.#reads.delete(rev);
      }
    return this.#client.download("files/download", { path: `rev:${rev}` }, range, signal);
  }

  /** The link to a content that is read again and again. */
  #link(rev: string): Promise<string | undefined> | undefined {
    const now = this.#client.clock.now();
    const known = this.#reads.get(rev);
    const read =
      known && now < known.expires ? known : { reads: 0, link: undefined, expires: now + longestUse };
    this.#reads.delete(rev);
    this.#reads.set(rev, read);
    if (this.#reads.size > mostReads) this.#reads.delete(this.#reads.keys().next().value!);
    read.reads += 1;
    if (read.reads > readsBeforeLink) read.link ??= this.#ask(rev);
    return read.link;
  }

  /** Undefined where there is none to be had, as for users who have not confirmed their address. */
  async #ask(rev: string): Promise<string | undefined> {
    try {
      const { link, metadata } = await this.#client.rpc<{ link: string; metadata: Metadata }>(
        "files/get_temporary_link",
        { path: `rev:${rev}` },
        { repeatable: true },
      );
      return metadata.rev === rev ? link : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Whether an answer may mean that the link is no longer good. */
const hasEnded = (error: unknown) =>
  error instanceof DriveError &&
  ["Unauthenticated", "AccessDenied", "NotFound", "Gone", "Changed"].includes(error.code);
