import type { Form } from "../statement/form.ts";
import type { Node, RangeVariable, Select } from "../statement/tree.ts";
import { visit } from "./used-columns.ts";
import { conjuncts } from "./where.ts";

/**
 * For each table of a form the conditions that rows must satisfy to matter at all: those of WHERE where no outer
 * join may add NULLs in their place, and those of ON for the side that an outer join does not preserve.
 */
export function pushableConditions({ tree, tables }: Form): readonly (readonly Node[])[] {
  const found = new Map<RangeVariable, readonly Node[]>();
  const from = (node: Node, conditions: readonly Node[]): void => {
    if (node.RangeVar) found.set(node.RangeVar, conditions);
    else if (node.RangeTableSample) from(node.RangeTableSample.relation, []);
    else if (node.JoinExpr) {
      const { jointype, larg, rarg, quals } = node.JoinExpr;
      const on = conjuncts(quals);
      const both = [...conditions, ...on];
      const preserved = jointype === "JOIN_INNER" ? both : conditions;
      const other = jointype === "JOIN_INNER" ? both : on;
      if (jointype === "JOIN_FULL") {
        from(larg, []);
        from(rarg, []);
      } else {
        from(larg, jointype === "JOIN_RIGHT" ? other : preserved);
        from(rarg, jointype === "JOIN_RIGHT" ? preserved : other);
      }
    }
  };
  const select = ({ fromClause = [], whereClause }: Select): void => {
    const where = conjuncts(whereClause);
    for (const item of fromClause) from(item, where);
  };
  if (tree.kind === "update" || tree.kind === "delete") {
    const statement = tree.kind === "update" ? tree.update : tree.delete;
    const where = conjuncts(statement.whereClause);
    found.set(statement.relation, where);
    const others =
      "usingClause" in statement
        ? statement.usingClause
        : "fromClause" in statement
          ? statement.fromClause
          : [];
    for (const item of others ?? []) from(item, where);
  }
  // SELECT, the subqueries in FROM and those of EXISTS
  visit(tree.kind === "select" ? { SelectStmt: tree.select } : tree, (node) => {
    if (node.SelectStmt) select(node.SelectStmt);
    return true;
  });
  return tables.map(({ node }) => found.get(node) ?? []);
}
