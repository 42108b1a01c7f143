import { SqlError } from "@overcoat/sources";
import { loadModule } from "libpg-query";
import { names } from "./check.ts";
import { fixedStatement } from "./fixed.ts";
import { type Form, parseForm } from "./form.ts";
import { type Lexed, lex, originalName } from "./lexical.ts";
import { RecentlyUsed } from "./recently-used.ts";
import type {
  InsertStatement,
  ModifyRowStatement,
  ModifyStatement,
  Statement,
  TableName,
} from "./statement.ts";
import type { Node, Returning } from "./tree.ts";

/** Characters of statements and of forms that are kept. */
const keptText = 8 * 1024 * 1024;
const longestKept = 256 * 1024;

const statements = new RecentlyUsed<string, Statement>(keptText);
const forms = new RecentlyUsed<string, Form>(keptText);
let loading: Promise<void> | undefined;
let loaded = false;

/**
 * Reads what a client sends in one message; nothing for an empty one.
 * @throws SqlError 42601 for text that is no SQL, 42501 and 0A000 for SQL that postgres_fdw never sends, 54001 for
 * deeply nested SQL.
 */
export function parseStatements(sql: string): readonly Statement[] | Promise<readonly Statement[]> {
  const known = statements.get(sql);
  if (known) return [known];
  const fixed = fixedStatements(sql);
  if (fixed) return fixed;
  if (!/\S/.test(sql)) return [];
  if (loaded) return [parseStatement(sql)];
  loading ??= loadModule().then(() => {
    loaded = true;
  });
  return loading.then(() => [parseStatement(sql)]);
}

/** `ROLLBACK TO SAVEPOINT s2; RELEASE SAVEPOINT s2` is the one message of two statements. */
function fixedStatements(sql: string): readonly Statement[] | undefined {
  if (!sql.startsWith("ROLLBACK TO ")) {
    const statement = fixedStatement(sql);
    return statement && [statement];
  }
  const parts = sql.split("; ").map(fixedStatement);
  return parts.every((part) => part !== undefined) && parts.length <= 2 ? parts : undefined;
}

const declare = /^DECLARE (c\d+) CURSOR FOR\s/;
const explain = /^EXPLAIN\s/;

function parseStatement(sql: string): Statement {
  const cursor = declare.exec(sql);
  const prefix = cursor ?? explain.exec(sql);
  const inner = readStatement(prefix ? sql.slice(prefix[0].length) : sql);
  const statement = prefix ? wrap(inner, cursor?.[1]) : inner;
  if (sql.length <= longestKept) statements.set(sql, statement, sql.length);
  return statement;
}

function wrap(statement: Statement, cursor: string | undefined): Statement {
  if (statement.kind === "select") {
    return cursor === undefined
      ? { kind: "explain", statement }
      : { kind: "declare", cursor, select: statement };
  }
  if (cursor === undefined && (statement.kind === "update" || statement.kind === "delete"))
    return { kind: "explain", statement };
  throw new SqlError("42601", `a cursor or EXPLAIN cannot be made for ${statement.kind.toUpperCase()}`);
}

function readStatement(sql: string): Statement {
  const lexed = lex(sql);
  let form = forms.get(lexed.form);
  if (!form) {
    form = parseForm(lexed.form, lexed.positions);
    if (lexed.form.length <= longestKept) forms.set(lexed.form, form, lexed.form.length);
  }
  const tables = form.tables.map(({ schema, name }) => ({
    schema: originalName(schema, lexed.names),
    name: originalName(name, lexed.names),
  }));
  const { tree } = form;
  if (tree.kind === "select") return { kind: "select", form, lexed, tables };
  if (tree.kind === "truncate") return { kind: "truncate", tables };
  const table = tables[0]!;
  if (tree.kind === "insert") return readInsert(form, lexed, table);
  return readRowChange(form, lexed, table) ?? modify(tree.kind, form, lexed, tables);
}

function modify(
  kind: ModifyStatement["kind"],
  form: Form,
  lexed: Lexed,
  tables: readonly TableName[],
): ModifyStatement {
  return { kind, form, lexed, tables, table: tables[0]! };
}

function readInsert({ tree }: Form, { names }: Lexed, table: TableName): InsertStatement {
  const { cols = [], selectStmt, onConflictClause, returningClause } = (tree as Tree<"insert">).insert;
  return {
    kind: "insert",
    table,
    columns: cols.map(({ ResTarget }) => originalName(ResTarget!.name!, names)),
    rows: (selectStmt?.SelectStmt?.valuesLists ?? [{ List: {} }]).map(({ List }) =>
      (List?.items ?? []).map(parameterOrDefault),
    ),
    doNothing: onConflictClause !== undefined,
    returning: returningColumns(returningClause, names),
  };
}

/** UPDATE … WHERE ctid = $1 and DELETE … WHERE ctid = $1, in which no value is computed. */
function readRowChange({ tree }: Form, { names }: Lexed, table: TableName): ModifyRowStatement | undefined {
  const statement = tree.kind === "update" ? tree.update : (tree as Tree<"delete">).delete;
  const ctidParameter = ctidEqualsParameter(statement.whereClause);
  if (ctidParameter === undefined || statement.relation.alias) return undefined;
  const targets = "targetList" in statement ? statement.targetList : [];
  if (!targets.every(({ ResTarget }) => ResTarget?.val?.ParamRef ?? ResTarget?.val?.SetToDefault))
    return undefined;
  return {
    kind: tree.kind === "update" ? "update row" : "delete row",
    table,
    set: targets.map(({ ResTarget }) => ({
      column: originalName(ResTarget!.name!, names),
      parameter: parameterOrDefault(ResTarget!.val!),
    })),
    ctidParameter,
    returning: returningColumns(statement.returningClause, names),
  };
}

function ctidEqualsParameter(where: Node | undefined): number | undefined {
  const operator = where?.A_Expr;
  if (operator?.kind !== "AEXPR_OP" || names(operator.name).join() !== "=") return undefined;
  const column = operator.lexpr?.ColumnRef;
  return column && names(column.fields).join() === "ctid" ? operator.rexpr.ParamRef?.number : undefined;
}

function parameterOrDefault(node: Node): number | "default" {
  return node.ParamRef?.number ?? "default";
}

function returningColumns(
  clause: Returning | undefined,
  longNames: readonly string[],
): (string | undefined)[] {
  return (clause?.exprs ?? []).map(({ ResTarget }) => {
    const column = ResTarget?.val?.ColumnRef;
    if (column) return originalName(names(column.fields).at(-1)!, longNames);
    if (ResTarget?.val?.A_Const?.isnull) return undefined;
    throw new SqlError("0A000", "RETURNING holds columns only where rows are changed one by one");
  });
}

type Tree<Kind> = Extract<Form["tree"], { kind: Kind }>;
