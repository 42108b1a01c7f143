/** What tells bytes from others: their number, and the vendor's hash of them or its version of the item. */
export interface Bytes {
  readonly size: number;
  readonly hash?: string;
  readonly version?: string;
}

/** A text that belongs to certain bytes, as it is kept with them. */
export const bind = ({ size, hash, version }: Bytes, text: string) =>
  `${JSON.stringify([size, hash ?? null, ...(hash === undefined ? [version ?? null] : [])])}\n${text}`;

/** The text, if it belongs to these bytes. */
export function unbind(bytes: Bytes, bound: string): string | undefined {
  const end = bound.indexOf("\n");
  try {
    const [size, hash, version] = JSON.parse(bound.slice(0, end)) as [number, string | null, string?];
    const same = hash === null ? version === bytes.version : hash === bytes.hash;
    return size === bytes.size && same ? bound.slice(end + 1) : undefined;
  } catch {
    return undefined;
  }
}
