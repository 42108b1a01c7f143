import type { Item } from "./route.ts";

interface Version {
  /** When search begins to see it; milliseconds since 1970. */
  readonly from: number;
  /** Undefined where the user was deleted. */
  readonly user: Item | undefined;
}

/** Users as they are, and as search sees them: some time later. */
export class UsersStore {
  readonly #delay: number;
  readonly #users = new Map<string, Item>();
  readonly #indexed = new Map<string, Version[]>();

  /** `delay` is how long search lags behind writes, in milliseconds. */
  constructor(delay: number) {
    this.#delay = delay;
  }

  get(id: string): Item | undefined {
    return this.#users.get(id);
  }

  all(): Item[] {
    return [...this.#users.values()];
  }

  put(user: Item & { user_id: string }, delay = this.#delay): void {
    this.#users.set(user.user_id, user);
    this.#index(user.user_id, user, delay);
  }

  delete(id: string): boolean {
    const there = this.#users.delete(id);
    if (there) this.#index(id, undefined, this.#delay);
    return there;
  }

  /** What search knows now. */
  indexed(): Item[] {
    const now = Date.now();
    const seen: Item[] = [];
    for (const [id, versions] of this.#indexed) {
      const current = versions.findLastIndex(({ from }) => from <= now);
      if (current > 0) versions.splice(0, current);
      const user = current < 0 ? undefined : versions[0]?.user;
      if (user) seen.push(user);
      else if (current >= 0 && versions.length === 1) this.#indexed.delete(id);
    }
    return seen;
  }

  #index(id: string, user: Item | undefined, delay: number): void {
    const versions = this.#indexed.get(id) ?? [];
    versions.push({ from: Date.now() + delay, user });
    this.#indexed.set(id, versions);
  }
}
