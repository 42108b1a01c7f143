import { DriveError } from "../drive.ts";
import type { Sessions } from "./sessions.ts";
import type { Body, Condition, Item, Target, UploadSession, Vendor, WriteOptions } from "./vendor.ts";

/** How often an upload goes on where the drive stands, or is begun anew, before it fails. */
const attempts = 4;

/** An upload in fragments, which begins while its bytes still come in. */
export class FragmentedUpload {
  readonly #vendor: Vendor;
  readonly #sessions: Sessions;
  readonly #body: Body;
  readonly size: number;
  #begun: { key: string; session: UploadSession; forget: () => Promise<void> } | undefined;
  /** Bytes sent, or being sent. */
  #position = 0;
  #sending = new Set<Promise<void>>();
  /** Why a fragment did not arrive, where one did not. */
  #failure: { readonly error: unknown } | undefined;

  /** `size` is that of the whole; `body` may have less yet. */
  constructor(vendor: Vendor, sessions: Sessions, body: Body, size: number) {
    this.#vendor = vendor;
    this.#sessions = sessions;
    this.#body = body;
    this.size = size;
  }

  /** Opens a session. */
  async begin(target: Target, options: WriteOptions): Promise<void> {
    const session = await this.#vendor.startUpload(target, this.size, options);
    const forget = await this.#sessions.note(session).catch(async (error) => {
      await session.cancel().catch(() => undefined);
      throw error;
    });
    this.#begun = { key: keyOf(target, options.condition), session, forget };
    this.#position = 0;
    this.#failure = undefined;
  }

  /** Sends what is there of whole fragments, but for the last one. Failures show when the upload ends. */
  advance(): void {
    const { fragmentSize, parallelFragments } = this.#vendor.traits;
    while (this.#begun && !this.#failure && this.#sending.size < parallelFragments) {
      const start = this.#position;
      const end = start + fragmentSize;
      if (end > this.#body.size || end >= this.size) return;
      this.#position = end;
      const sending: Promise<void> = this.#begun.session
        .send(this.#whole(), start, end)
        .then(
          () => undefined,
          (error) => {
            this.#failure ??= { error };
          },
        )
        .then(() => {
          this.#sending.delete(sending);
          this.advance();
        });
      this.#sending.add(sending);
    }
  }

  /**
   * Sends all that is left, the last fragment at the end: then the file is there.
   * @throws DriveError as `Vendor.startUpload`
   */
  async finish(target: Target, options: WriteOptions): Promise<Item> {
    if (this.#begun?.key !== keyOf(target, options.condition)) await this.cancel();
    for (let attempt = 1; ; attempt++) {
      try {
        if (!this.#begun) await this.begin(target, options);
        if (options.properties !== undefined) this.#begun!.session.describe?.(options.properties);
        const item = await this.#sendRest();
        await this.#forget();
        return item;
      } catch (error) {
        const gone = error instanceof DriveError && error.code === "Gone";
        await this.cancel();
        if (!gone || attempt === attempts) throw error;
      }
    }
  }

  /** Gives the session up. */
  async cancel(): Promise<void> {
    const begun = this.#begun;
    this.#begun = undefined;
    await Promise.all(this.#sending);
    if (!begun) return;
    try {
      await begun.session.cancel();
      await begun.forget();
    } catch {
      // The sweep tries again, once this process has ended.
    }
  }

  async #forget(): Promise<void> {
    const begun = this.#begun;
    this.#begun = undefined;
    await begun?.forget();
  }

  async #sendRest(): Promise<Item> {
    const { session } = this.#begun!;
    for (let failures = 0; ; ) {
      try {
        this.advance();
        while (this.#sending.size > 0) await Promise.race(this.#sending);
        if (this.#failure) throw this.#failure.error;
        const item = await session.send(this.#body, this.#position, this.size);
        if (item) return item;
        throw new DriveError("Unavailable", "The last fragment did not end the upload");
      } catch (error) {
        const again = error instanceof DriveError && error.code === "Unavailable";
        if (!again || ++failures === attempts) throw error;
        const received = await session.received();
        if (typeof received !== "number") return received;
        this.#position = received;
        this.#failure = undefined;
      }
    }
  }

  /** The body as one of the size that it will have. */
  #whole(): Body {
    return { size: this.size, read: (start, end) => this.#body.read(start, end) };
  }
}

/** What a session is for: another place or condition takes another session. */
const keyOf = ({ folder, name, replaces }: Target, condition: Condition | undefined) =>
  JSON.stringify([
    folder.id,
    name,
    replaces?.id,
    condition,
    condition === "unchanged" ? replaces?.version : "",
  ]);
