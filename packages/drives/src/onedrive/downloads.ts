import { DriveError } from "../drive.ts";
import { noBytes } from "../remote/body.ts";
import { type ByteStream, exactly, placed, type Reply } from "../remote/http/index.ts";
import type { Item } from "../remote/vendor.ts";
import { type GraphClient, vendorName } from "./client.ts";
import { type DriveItem, downloadUrl, versionOf } from "./items.ts";

/** A pre-authenticated address: a secret, good for an hour or so. */
interface Address {
  readonly url: string;
  readonly version: string;
  readonly eTag: string | undefined;
  readonly asked: number;
  /** The tag that came with the first bytes from it. */
  served?: string;
}

const mostAddresses = 10_000;
/** Milliseconds after which an address is asked for anew, though it may still be good. */
const longestUse = 50 * 60_000;
/** Milliseconds for which bytes without a tag are taken for those of the item that was just asked for. */
const fresh = 5_000;

/** Reads files from pre-authenticated addresses, which are kept byte for byte until they end. */
export class Downloads {
  readonly #graph: GraphClient;
  /** By item, those that were used last at the end. */
  readonly #addresses = new Map<string, Address>();

  constructor(graph: GraphClient) {
    this.#graph = graph;
  }

  /** Keeps the address that came with an item, so that reading it takes one call less. */
  keep(json: DriveItem): void {
    const url = json[downloadUrl];
    if (url === undefined) return;
    this.#addresses.delete(json.id);
    this.#addresses.set(json.id, {
      url,
      version: versionOf(json, this.#graph.driveType),
      eTag: json.eTag,
      asked: this.#graph.clock.now(),
    });
    if (this.#addresses.size > mostAddresses) this.#addresses.delete(this.#addresses.keys().next().value!);
  }

  /** As `Vendor.read`. */
  async read(
    item: Item,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    if (start >= end) return noBytes();
    for (let attempt = 1; ; attempt += 1) {
      const kept = this.#kept(item);
      const address = kept ?? (await this.#ask(item, signal));
      const last = attempt === 3 || !kept;
      let reply: Reply<ByteStream>;
      try {
        reply = await this.fetch(address.url, start, end, item.size, signal);
      } catch (error) {
        this.#addresses.delete(item.id);
        if (last || !hasEnded(error)) throw error;
        continue;
      }
      const { body, skip, total } = placed(reply, start);
      if (total === item.size && this.#isSame(address, reply.headers.etag, kept !== undefined))
        return exactly(body, skip, end - start, vendorName);
      body.destroy();
      this.#addresses.delete(item.id);
      if (last) throw new DriveError("Changed", "The file was changed in OneDrive while it was read.");
    }
  }

  /** Asks a pre-authenticated address for a range of a file of that size. */
  fetch(
    url: string,
    start: number,
    end: number,
    size: number,
    signal?: AbortSignal,
  ): Promise<Reply<ByteStream>> {
    const whole = start === 0 && end === size;
    return this.#graph.http.stream({
      endpoint: "GET download",
      method: "GET",
      url,
      headers: whole ? {} : { range: `bytes=${start}-${end - 1}` },
      authorized: false,
      signal,
    });
  }

  #kept({ id, version }: Item): Address | undefined {
    const address = this.#addresses.get(id);
    if (!address) return undefined;
    this.#addresses.delete(id);
    if (address.version !== version || this.#graph.clock.now() - address.asked > longestUse) return undefined;
    this.#addresses.set(id, address);
    return address;
  }

  async #ask(item: Item, signal?: AbortSignal): Promise<Address> {
    const json = await this.#graph.item(this.#graph.byId(item.id), signal);
    if (!json) throw new DriveError("NotFound", "The file is no longer in OneDrive.");
    if (versionOf(json, this.#graph.driveType) !== item.version)
      throw new DriveError("Changed", "The file was changed in OneDrive.");
    this.keep(json);
    const address = this.#addresses.get(item.id);
    if (address) return address;
    const why = json.malware ? "OneDrive has found malware in it" : "OneDrive gives no address for it";
    throw new DriveError("AccessDenied", `The file cannot be downloaded: ${why}.`);
  }

  /**
   * Whether bytes are those of the version that the address was given for. An address leads to whatever the file
   * holds now, so the tag must be that of the item or, where storage has tags of its own, that of the first time.
   */
  #isSame(address: Address, tag: string | undefined, kept: boolean): boolean {
    if (tag === undefined) return !kept || this.#graph.clock.now() - address.asked < fresh;
    if (address.eTag !== undefined && stem(tag) === stem(address.eTag)) return tag === address.eTag;
    address.served ??= kept ? undefined : tag;
    return address.served === tag;
  }
}

/** A tag without the number that grows with each change. */
const stem = (tag: string) => tag.replace(/\d+"?$/, "");

/** Whether an answer may mean that the address is no longer good. */
const hasEnded = (error: unknown) =>
  error instanceof DriveError &&
  ["Unauthenticated", "AccessDenied", "NotFound", "Gone", "Changed"].includes(error.code);
