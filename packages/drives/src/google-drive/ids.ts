import type { DriveClient } from "./client.ts";

/** Ids that one call brings; the most that Google gives. */
const supply = 1000;
/** With so few left more are asked for, while these last. */
const few = 100;

/**
 * Ids that Google made beforehand: what is created with one is created once, however often the call is repeated.
 */
export class IdSupply {
  readonly #client: DriveClient;
  #ids: string[] = [];
  #asking: Promise<void> | undefined;

  constructor(client: DriveClient) {
    this.#client = client;
  }

  async take(): Promise<string> {
    while (this.#ids.length === 0) await this.#ask();
    const id = this.#ids.pop()!;
    // Whoever finds none left asks again and gets to know what is wrong.
    if (this.#ids.length < few) this.#ask().catch(() => {});
    return id;
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#generate().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #generate(): Promise<void> {
    const { body } = await this.#client.http.json<{ ids: string[] }>({
      endpoint: "GET generateIds",
      method: "GET",
      url: this.#client.v3("files/generateIds", { count: String(supply), space: "drive", type: "files" }),
    });
    this.#ids.unshift(...body.ids);
  }
}
