import type { Tuple } from "@overcoat/sources";
import type { Form } from "../statement/form.ts";
import type { Delete, Update } from "../statement/tree.ts";
import type { TextRow } from "./context.ts";

/** A row that a direct UPDATE or DELETE changes. */
export interface Modified {
  readonly identity: string;
  readonly version?: string;
  /** As far as it was read. */
  readonly before: Tuple;
  /** The columns that UPDATE sets; `undefined` for DELETE. */
  readonly after?: Tuple;
  readonly returning: TextRow;
}

export function modification(tree: Form["tree"]): Update | Delete {
  if (tree.kind === "update") return tree.update;
  if (tree.kind === "delete") return tree.delete;
  throw new TypeError(`${tree.kind} looks for no rows to change`);
}
