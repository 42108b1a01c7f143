/**
 * Values by key, of a bounded total size. They are kept in two halves: what was not used while one half filled
 * gives way with the other.
 */
export class RecentlyUsed<Key, Value> {
  readonly #half: number;
  #recent = new Map<Key, { readonly value: Value; readonly size: number }>();
  #older = new Map<Key, { readonly value: Value; readonly size: number }>();
  #size = 0;

  constructor(bound: number) {
    this.#half = bound / 2;
  }

  get(key: Key): Value | undefined {
    const recent = this.#recent.get(key);
    if (recent) return recent.value;
    const older = this.#older.get(key);
    if (!older) return undefined;
    this.set(key, older.value, older.size);
    return older.value;
  }

  set(key: Key, value: Value, size: number): void {
    if (this.#size + size > this.#half) {
      this.#older = this.#recent;
      this.#recent = new Map();
      this.#size = 0;
    }
    this.#recent.set(key, { value, size });
    this.#size += size;
  }
}
