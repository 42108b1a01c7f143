import { compareKeys } from "./keys.ts";

/** Some names of a folder as they sort among S3 keys, and the first name of the block behind them. */
export interface NameBlock {
  readonly names: readonly string[];
  readonly next?: string;
}

/** Gives the block in which a name stands or would stand. */
export type FolderNames = (bound: string) => NameBlock;

export const noNames: FolderNames = () => ({ names: [] });

/** Reads the names of a folder in order, from any place. */
export class NameCursor {
  readonly #load: FolderNames;
  #block: NameBlock = { names: [] };
  #at = 0;

  /** Stands before the first name that is not before `bound`. */
  constructor(load: FolderNames, bound: string) {
    this.#load = load;
    this.seek(bound);
  }

  seek(bound: string): void {
    this.#block = this.#load(bound);
    this.#at = lowerBound(this.#block.names, bound);
  }

  next(): string | undefined {
    while (this.#at >= this.#block.names.length) {
      if (this.#block.next === undefined) return undefined;
      this.#block = this.#load(this.#block.next);
      this.#at = 0;
    }
    return this.#block.names[this.#at++];
  }
}

function lowerBound(names: readonly string[], bound: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys(names[middle]!, bound) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
