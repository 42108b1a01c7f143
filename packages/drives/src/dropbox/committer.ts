import { DriveError } from "../drive.ts";
import { LostAnswer } from "../remote/http/index.ts";
import { type DropboxClient, entryError, fitsHeader, type Tagged } from "./client.ts";
import type { Metadata } from "./items.ts";
import type { PropertyGroup } from "./properties.ts";

/** Where a file goes, as the API wants it. */
export interface CommitInfo {
  readonly path: string;
  readonly mode: "add" | "overwrite" | { readonly ".tag": "update"; readonly update: string };
  readonly strict_conflict: boolean;
  readonly autorename: false;
  readonly mute: true;
  readonly client_modified?: string;
  readonly property_groups?: readonly PropertyGroup[];
}

/** An upload session with all its bytes, and what is to become of it. */
export interface Finish {
  readonly cursor: { readonly session_id: string; readonly offset: number };
  readonly commit: CommitInfo;
}

type BatchEntry =
  | ({ readonly ".tag": "success" } & Omit<Metadata, ".tag">)
  | { readonly ".tag": "failure"; readonly failure: Tagged };

interface WaitingFinish {
  readonly finish: Finish;
  /** Told when it is tried again after an answer was lost. */
  readonly retried: () => void;
  readonly resolve: (json: Metadata) => void;
  readonly reject: (error: unknown) => void;
  attempts: number;
}

type Waiting = WaitingFinish | { readonly act: () => Promise<void> };

/** Most sessions that one call commits. */
const mostEntries = 1000;
/** How often a session is committed whose answer was lost, or that came at a bad moment. */
const attempts = 4;
/** Milliseconds that the first repeat waits, the next one twice as long, and so on. */
const pause = 250;

/**
 * Writes to a namespace, one after the other: those that overlap refuse each other (`too_many_write_operations`).
 * Bytes go up beforehand in any number at once; sessions that wait meanwhile are committed together.
 */
export class Committer {
  readonly #client: DropboxClient;
  readonly #waiting: Waiting[] = [];
  #running = false;

  constructor(client: DropboxClient) {
    this.#client = client;
  }

  /** Whether a write can begin at once. */
  get idle(): boolean {
    return !this.#running;
  }

  /** Makes a write as soon as no other is under way. */
  run<T>(act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting = async () => {
        try {
          signal?.throwIfAborted();
          resolve(await act());
        } catch (error) {
          reject(error);
        }
      };
      this.#add({ act: waiting });
    });
  }

  /** Commits a closed session. @throws DriveError, RouteError of `upload_session/finish` */
  finish(finish: Finish, retried: () => void): Promise<Metadata> {
    return new Promise((resolve, reject) => {
      this.#add({ finish, retried, resolve, reject, attempts: 0 });
    });
  }

  #add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    if (this.#running) return;
    this.#running = true;
    void this.#work();
  }

  async #work(): Promise<void> {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift())
      if ("act" in next) await next.act();
      else await this.#finishAll([next, ...this.#takeFinishes()]);
    this.#running = false;
  }

  /** Takes the sessions out of the queue that can be committed with the next one. */
  #takeFinishes(): WaitingFinish[] {
    const taken: WaitingFinish[] = [];
    const left = this.#waiting.filter((each) => {
      if ("act" in each || taken.length === mostEntries - 1) return true;
      taken.push(each);
      return false;
    });
    this.#waiting.splice(0, this.#waiting.length, ...left);
    return taken;
  }

  /** Never rejects. */
  async #finishAll(all: readonly WaitingFinish[]): Promise<void> {
    let entries: readonly BatchEntry[];
    try {
      entries = await this.#send(all.map(({ finish }) => finish));
    } catch (error) {
      for (const each of all) this.#failed(each, error, error instanceof LostAnswer);
      return;
    }
    for (const [index, each] of all.entries()) {
      const entry = entries[index];
      if (entry?.[".tag"] === "success") each.resolve({ ...entry, ".tag": "file" });
      else if (entry === undefined)
        each.reject(new DriveError("Unavailable", "Dropbox left out a part of a batch."));
      else {
        const { error, remedy } = entryError("files/upload_session/finish_batch_v2", entry.failure);
        this.#failed(each, error, remedy !== undefined);
      }
    }
  }

  async #send(finishes: readonly Finish[]): Promise<readonly BatchEntry[]> {
    const [only] = finishes;
    if (only && finishes.length === 1 && fitsHeader(only)) {
      const json = await this.#client.upload<Metadata>("files/upload_session/finish", only, "");
      return [{ ...json, ".tag": "success" }];
    }
    const { entries } = await this.#client.rpc<{ entries: BatchEntry[] }>(
      "files/upload_session/finish_batch_v2",
      { entries: finishes },
    );
    return entries;
  }

  #failed(each: WaitingFinish, error: unknown, again: boolean): void {
    each.attempts += 1;
    if (!again || each.attempts >= attempts) {
      each.reject(error);
      return;
    }
    each.retried();
    this.#client.clock.sleep(pause * 2 ** (each.attempts - 1)).then(() => this.#add(each));
  }
}
