import type { Item, Target, WriteOptions } from "../remote/vendor.ts";
import type { DriveItem } from "./items.ts";

/** What is to happen where a name is taken, as a parameter or as a property of an item. */
export const conflictBehavior = "@microsoft.graph.conflictBehavior";

/** The header by which Graph itself decides whether an item is still the one that is to be replaced. */
export const ifMatch = (
  { replaces }: Target,
  condition: WriteOptions["condition"],
): Record<string, string> => (condition === "unchanged" && replaces ? { "if-match": replaces.version } : {});

/** The times that a client may set. */
export const times = (modified: number) => ({ lastModifiedDateTime: new Date(modified).toISOString() });

/** Makes an item of what a write was answered with, and keeps its address. */
export type Take = (json: DriveItem) => Item;
