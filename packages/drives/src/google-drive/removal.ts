import { DriveError } from "../drive.ts";
import type { Item } from "../remote/vendor.ts";
import { callBatch, type InnerReply, mostInner } from "./batch.ts";
import { type DriveClient, judge } from "./client.ts";
import { etagOf } from "./files.ts";

/** How often the calls of a batch are made again that the service had no time for. */
const attempts = 5;
/** Batches that are under way at once. */
const parallel = 4;

/** Removes items: into the trash, where they stay for 30 days, or for good. */
export class Removal {
  readonly #client: DriveClient;
  readonly #hard: boolean;

  constructor(client: DriveClient, hard = false) {
    this.#client = client;
    this.#hard = hard;
  }

  /** As `Vendor.remove`. */
  async remove(item: Item, condition?: "unchanged"): Promise<boolean> {
    if (condition === undefined) {
      const request = { ...this.#request(item), accept: [404], repeatable: true };
      return (await this.#client.http.json(request)).status !== 404;
    }
    const etag = await etagOf(this.#client, item);
    const method = this.#hard ? "DELETE" : "PATCH";
    await this.#client.http.json({
      endpoint: `${method} v2 file`,
      method,
      url: this.#client.v2(`files/${encodeURIComponent(item.id)}`, { fields: this.#hard ? undefined : "id" }),
      headers: { "if-match": etag },
      content: this.#hard ? undefined : { labels: { trashed: true } },
    });
    return true;
  }

  /** As `Vendor.removeAll`: 100 items in each call. */
  async removeAll(items: readonly Item[]): Promise<(boolean | Error)[]> {
    const results: (boolean | Error)[] = [];
    const count = Math.ceil(items.length / mostInner);
    const starts = Array.from({ length: count }, (_, index) => index * mostInner);
    const work = async () => {
      for (let start = starts.shift(); start !== undefined; start = starts.shift()) {
        const batch = items.slice(start, start + mostInner);
        for (const [index, result] of (await this.#removeBatch(batch)).entries())
          results[start + index] = result;
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
    return results;
  }

  async #removeBatch(items: readonly Item[]): Promise<(boolean | Error)[]> {
    const results: (boolean | Error)[] = [];
    let open = [...items.keys()];
    for (let attempt = 1; open.length > 0; attempt += 1) {
      let answers: (InnerReply | undefined)[];
      try {
        const calls = open.map((index) => this.#request(items[index]!));
        answers = await callBatch(this.#client, calls);
      } catch (error) {
        for (const index of open) results[index] = error as Error;
        return results;
      }
      const again: number[] = [];
      for (const [place, index] of open.entries()) {
        const { result, passing } = outcomeOf(answers[place]);
        results[index] = result;
        if (passing && attempt < attempts) again.push(index);
      }
      // The service throttles each call of a batch by itself.
      if (again.length > 0) this.#client.http.pause(attempt * 500);
      open = again;
    }
    return results;
  }

  #request({ id }: Item): { endpoint: string; method: string; url: string; content?: unknown } {
    const path = `files/${encodeURIComponent(id)}`;
    if (this.#hard) return { endpoint: "DELETE file", method: "DELETE", url: this.#client.v3(path) };
    const url = this.#client.v3(path, { fields: "id" });
    return { endpoint: "PATCH file", method: "PATCH", url, content: { trashed: true } };
  }
}

function outcomeOf(answer: InnerReply | undefined): { result: boolean | Error; passing: boolean } {
  if (!answer) {
    const missing = new DriveError("Unavailable", "Google Drive left out a part of a batch.");
    return { result: missing, passing: true };
  }
  if (answer.status < 300) return { result: true, passing: false };
  if (answer.status === 404) return { result: false, passing: false };
  const { error, remedy } = judge({ ...answer, endpoint: "batch", json: parse(answer.text) });
  return { result: error, passing: remedy !== undefined };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
