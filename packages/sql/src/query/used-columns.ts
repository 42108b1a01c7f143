import type { TableDefinition } from "@overcoat/sources";
import { names } from "../statement/check.ts";
import type { Form } from "../statement/form.ts";
import { originalName } from "../statement/lexical.ts";
import type { ColumnReference, Node } from "../statement/tree.ts";

export interface UsedColumns {
  /** Positions in the definition's columns. */
  readonly columns: Set<number>;
  ctid: boolean;
}

/** Which columns a statement uses of each of its tables; one too many where a name tells no table. */
export function usedColumns(
  form: Form,
  definitions: readonly TableDefinition[],
  longNames: readonly string[],
): readonly UsedColumns[] {
  const used: UsedColumns[] = definitions.map(() => ({ columns: new Set(), ctid: false }));
  const positions = definitions.map(
    ({ columns }) => new Map(columns.map(({ name }, position) => [name, position])),
  );
  const use = (name: string, alias?: string) => {
    for (const [table, { alias: own }] of form.tables.entries()) {
      if (alias !== undefined && alias !== own) continue;
      const position = positions[table]!.get(originalName(name, longNames));
      if (position !== undefined) used[table]!.columns.add(position);
      else if (name === "ctid") used[table]!.ctid = true;
    }
  };
  const useAll = (alias: string) => {
    for (const [table, { alias: own }] of form.tables.entries())
      if (alias === own)
        for (const position of positions[table]!.values()) used[table]!.columns.add(position);
  };
  const column = ({ fields }: ColumnReference) => {
    const alias = fields.length > 1 ? fields[0]!.String?.sval : undefined;
    if (fields.at(-1)?.A_Star) useAll(alias!);
    else use(names(fields).at(-1)!, alias);
  };
  visit(form.tree, (node) => {
    if (node.ColumnRef) column(node.ColumnRef);
    if (node.ResTarget?.name) use(node.ResTarget.name);
    // `(r1.*)::text IS NOT NULL` asks only whether there is a row.
    return !node.NullTest?.arg.TypeCast?.arg.ColumnRef?.fields.at(-1)?.A_Star;
  });
  return used;
}

/** Calls `enter` for each object of a tree, and for those within if it returns true. */
export function visit(value: unknown, enter: (node: Node) => boolean): void {
  if (Array.isArray(value)) for (const item of value) visit(item, enter);
  else if (typeof value === "object" && value !== null && enter(value as Node))
    for (const item of Object.values(value)) visit(item, enter);
}
