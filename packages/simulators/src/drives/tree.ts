/** A file or folder of a drive, with what the vendor keeps of it in `data`. */
export interface Node<T> {
  readonly id: string;
  name: string;
  /** Undefined for the root; where it was last for what was removed. */
  parent: Node<T> | undefined;
  /** Undefined for a file. */
  readonly children: Map<string, Node<T>> | undefined;
  data: T;
  /** The number of its last change; numbers only grow. */
  change: number;
  removed: boolean;
}

export interface TreeOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Names that fold alike cannot stand beside each other; where not given, any two can. */
  readonly fold?: (name: string) => string;
  /** How many removed items the journal remembers; 100,000 where not given. */
  readonly mostRemoved?: number;
}

/** The items of a drive, and a journal of their changes. */
export class Tree<T> {
  readonly root: Node<T>;
  readonly #now: () => number;
  readonly #fold: ((name: string) => string) | undefined;
  readonly #mostRemoved: number;
  readonly #nodes = new Map<string, Node<T>>();
  /** By number; an entry is out of date where its node has changed again. */
  #journal: { readonly change: number; readonly time: number; readonly node: Node<T> }[] = [];
  #removed = 0;
  #change = 0;
  #forgotten = 0;
  readonly #sorted = new WeakMap<Node<T>, Node<T>[]>();

  constructor(rootId: string, data: T, options: TreeOptions) {
    this.#now = options.now;
    this.#fold = options.fold;
    this.#mostRemoved = options.mostRemoved ?? 100_000;
    const children = new Map();
    this.root = { id: rootId, name: "root", parent: undefined, children, data, change: 0, removed: false };
    this.#nodes.set(rootId, this.root);
    this.touch(this.root);
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** The number of the last change. */
  get lastChange(): number {
    return this.#change;
  }

  /** Changes up to this number may be missing from the journal. */
  get forgottenChange(): number {
    return this.#forgotten;
  }

  get(id: string): Node<T> | undefined {
    return this.#nodes.get(id);
  }

  /** The child of that name, where names are unique. */
  child(parent: Node<T>, name: string): Node<T> | undefined {
    return parent.children?.get(this.#key(name, ""));
  }

  /** Children by folded name. The list is not to be changed. */
  sorted(parent: Node<T>): readonly Node<T>[] {
    let sorted = this.#sorted.get(parent);
    if (!sorted) {
      const fold = this.#fold ?? ((name: string) => name);
      const keyed = [...(parent.children?.values() ?? [])].map((node) => ({ node, key: fold(node.name) }));
      keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.node.id < b.node.id ? -1 : 1));
      sorted = keyed.map(({ node }) => node);
      this.#sorted.set(parent, sorted);
    }
    return sorted;
  }

  /** Adds an item. A name that is taken is the caller's to see to. */
  add(id: string, parent: Node<T>, name: string, folder: boolean, data: T): Node<T> {
    const children = folder ? new Map() : undefined;
    const node: Node<T> = { id, name, parent, children, data, change: 0, removed: false };
    this.#nodes.set(id, node);
    this.#attach(node, parent);
    this.touch(node);
    return node;
  }

  move(node: Node<T>, parent: Node<T>, name: string): void {
    this.#detach(node);
    node.name = name;
    node.parent = parent;
    this.#attach(node, parent);
    this.touch(node);
  }

  /** Removes an item and all below it, which it gives, the deepest first. */
  remove(node: Node<T>): Node<T>[] {
    const gone = [...this.below(node)].reverse();
    this.#detach(node);
    for (const each of gone) {
      each.removed = true;
      this.#nodes.delete(each.id);
      this.#removed += 1;
      this.touch(each);
    }
    this.#forgetOldest();
    return gone;
  }

  /** Writes a change of an item into the journal. */
  touch(node: Node<T>): void {
    this.#change += 1;
    node.change = this.#change;
    this.#journal.push({ change: this.#change, time: this.#now(), node });
    const live = this.#nodes.size + this.#removed;
    if (this.#journal.length > 2 * live + 1000)
      this.#journal = this.#journal.filter(({ change, node: { change: last } }) => change === last);
  }

  /** An item and all below it, parents before their children. */
  *below(node: Node<T>): Generator<Node<T>> {
    yield node;
    for (const child of node.children?.values() ?? []) yield* this.below(child);
  }

  /** Up to `most` items whose last change is later than `change`, in the order of these. */
  changed(change: number, most: number): Node<T>[] {
    const found: Node<T>[] = [];
    for (
      let index = this.#first((entry) => entry.change > change);
      index < this.#journal.length && found.length < most;
      index += 1
    ) {
      const entry = this.#journal[index]!;
      if (entry.change === entry.node.change) found.push(entry.node);
    }
    return found;
  }

  /** The number of the last change that was made by a time. */
  changeBy(time: number): number {
    return this.#journal[this.#first((entry) => entry.time > time) - 1]?.change ?? 0;
  }

  /** The place of the first entry that fulfils what all after it fulfil, too. */
  #first(fulfils: (entry: { change: number; time: number }) => boolean): number {
    let low = 0;
    let high = this.#journal.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (fulfils(this.#journal[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #key(name: string, id: string): string {
    return this.#fold ? this.#fold(name) : id;
  }

  #attach(node: Node<T>, parent: Node<T>): void {
    parent.children!.set(this.#key(node.name, node.id), node);
    this.#sorted.delete(parent);
  }

  #detach(node: Node<T>): void {
    const { parent } = node;
    if (!parent) return;
    parent.children!.delete(this.#key(node.name, node.id));
    this.#sorted.delete(parent);
  }

  #forgetOldest(): void {
    if (this.#removed <= this.#mostRemoved * 1.1) return;
    let over = this.#removed - this.#mostRemoved;
    this.#journal = this.#journal.filter(({ change, node }) => {
      if (change !== node.change) return false;
      if (over === 0 || !node.removed) return true;
      over -= 1;
      this.#forgotten = change;
      return false;
    });
    this.#removed = this.#mostRemoved;
  }
}
