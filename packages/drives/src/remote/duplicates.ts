import type { Child } from "./mirror.ts";

/** A name in a folder as it is shown. */
export interface Shown extends Child {
  readonly shown: string;
}

/** The name that an item is shown by when an older one has its own: `name {id}.ext`. */
function apart({ id, name, kind }: Child): string {
  const dot = kind === "file" ? name.lastIndexOf(".") : -1;
  return dot > 0 ? `${name.slice(0, dot)} {${id}}${name.slice(dot)}` : `${name} {${id}}`;
}

/** How items are shown of which several may have the same name; they come in the order of their age. */
export function shown(children: readonly Child[]): Shown[] {
  const taken = new Set<string>();
  return children.map((child) => {
    if (taken.has(child.name)) return { ...child, shown: apart(child) };
    taken.add(child.name);
    return { ...child, shown: child.name };
  });
}

/** The name and id that a shown name may be made of. */
export function parseShown(segment: string): { name: string; id: string } | undefined {
  const match = /^(.+) \{([^{}]+)\}(\.[^.]*)?$/s.exec(segment);
  return match ? { name: match[1]! + (match[3] ?? ""), id: match[2]! } : undefined;
}
