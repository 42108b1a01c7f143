import { randomUUID } from "node:crypto";

/** The folder of the remote's root that no listing shows. */
export const hiddenFolder = ".overcoat";

/** The folder in which properties are that the vendor does not keep with an item. */
export const sidecarFolder = `${hiddenFolder}/properties`;

const aside = "aside-";

/** A name of its own in the hidden folder, for a file that is moved to its place when it is whole. */
export const asideName = () => `${aside}${randomUUID()}`;

export const isAside = (name: string) => name.startsWith(aside);
