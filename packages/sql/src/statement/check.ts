import { SqlError } from "@overcoat/sources";
import { functions, types } from "./builtin.ts";
import type {
  Alias,
  ArrayExpression,
  BooleanExpression,
  CaseExpression,
  ColumnReference,
  Constant,
  Delete,
  FunctionCall,
  Insert,
  Node,
  NullTest,
  OperatorExpression,
  RangeVariable,
  Returning,
  RowExpression,
  Select,
  SortBy,
  SubLink,
  Subscripted,
  Truncate,
  TypeCast,
  TypeName,
  Update,
} from "./tree.ts";

/** Where the tables, constants and `ctid`s of a statement stand; locations are byte offsets. */
export interface Findings {
  readonly tables: RangeVariable[];
  readonly constants: Constant[];
  readonly ctids: ColumnReference[];
  /** The highest number of a parameter. */
  parameters: number;
}

const systemColumns = new Set(["tableoid", "xmin", "cmin", "xmax", "cmax"]);

/**
 * Lets through what postgres_fdw's deparse.c of PostgreSQL 14–18 writes, and nothing else: its node types, built-in
 * immutable functions, built-in types, operators of pg_catalog.
 * @throws SqlError 0A000 for anything else in the tree, 42501 for functions, types and operators that are not on
 * the list.
 */
export class Checker {
  readonly findings: Findings = { tables: [], constants: [], ctids: [], parameters: 0 };

  select(select: Select): void {
    const { targetList, fromClause, whereClause, groupClause, havingClause, sortClause, ...more } = select;
    const { limitOffset, limitCount, limitOption, lockingClause, op, ...rest } = more;
    nothingElse("SELECT", rest);
    oneOf("SELECT", op, "SETOP_NONE");
    oneOf("LIMIT", limitOption, "LIMIT_OPTION_DEFAULT", "LIMIT_OPTION_COUNT");
    if (!fromClause) throw refused("a SELECT without FROM");
    for (const target of list(targetList)) this.#target(target);
    for (const item of fromClause) this.#from(item);
    if (whereClause && !this.#isRandomSample(whereClause)) this.expression(whereClause);
    this.#expressions(groupClause);
    if (havingClause) this.expression(havingClause);
    for (const item of list(sortClause)) this.#sort(item);
    if (limitOffset) this.expression(limitOffset);
    if (limitCount) this.expression(limitCount);
    for (const item of list(lockingClause)) locking(item);
  }

  update(update: Update): void {
    const { relation, targetList, fromClause, whereClause, returningClause, ...rest } = update;
    nothingElse("UPDATE", rest);
    this.#table(relation);
    for (const item of targetList) {
      const { name, val, location: _, ...more } = known("SET", item.ResTarget);
      nothingElse("SET", more);
      if (!name || !val) throw refused("SET without a column and a value");
      if (!val.SetToDefault) this.expression(val);
    }
    for (const item of list(fromClause)) this.#from(item);
    if (whereClause) this.expression(whereClause);
    this.#returning(returningClause);
  }

  delete(statement: Delete): void {
    const { relation, usingClause, whereClause, returningClause, ...rest } = statement;
    nothingElse("DELETE", rest);
    this.#table(relation);
    for (const item of list(usingClause)) this.#from(item);
    if (whereClause) this.expression(whereClause);
    this.#returning(returningClause);
  }

  insert(insert: Insert): void {
    const { relation, cols, selectStmt, onConflictClause, returningClause, override, ...rest } = insert;
    nothingElse("INSERT", rest);
    oneOf("INSERT", override, "OVERRIDING_NOT_SET");
    this.#table(relation);
    for (const item of list(cols)) {
      const { name: _, location: __, ...more } = known("INSERT", item.ResTarget);
      nothingElse("INSERT", more);
    }
    if (onConflictClause) {
      const { action, location: _, ...more } = onConflictClause;
      nothingElse("ON CONFLICT", more);
      oneOf("ON CONFLICT", action, "ONCONFLICT_NOTHING");
    }
    if (selectStmt) {
      const { valuesLists, limitOption: _, op: __, ...more } = known("INSERT", selectStmt.SelectStmt);
      nothingElse("VALUES", more);
      for (const row of list(valuesLists)) {
        for (const value of list(known("VALUES", row.List).items)) {
          if (!value.SetToDefault) this.#parameter(known("VALUES", value.ParamRef));
        }
      }
    }
    this.#returning(returningClause);
  }

  truncate(truncate: Truncate): void {
    const { relations, restart_seqs: _, behavior, ...rest } = truncate;
    nothingElse("TRUNCATE", rest);
    oneOf("TRUNCATE", behavior, "DROP_RESTRICT", "DROP_CASCADE");
    for (const item of relations) this.#table(known("TRUNCATE", item.RangeVar));
  }

  expression(node: Node): void {
    if (node.ColumnRef) this.#column(node.ColumnRef);
    else if (node.A_Const) this.findings.constants.push(node.A_Const);
    else if (node.ParamRef) this.#parameter(node.ParamRef);
    else if (node.A_Expr) this.#operator(node.A_Expr);
    else if (node.FuncCall) this.#call(node.FuncCall);
    else if (node.TypeCast) this.#cast(node.TypeCast);
    else if (node.BoolExpr) this.#boolean(node.BoolExpr);
    else if (node.NullTest) this.#nullTest(node.NullTest);
    else if (node.CaseExpr) this.#case(node.CaseExpr);
    else if (node.RowExpr) this.#row(node.RowExpr);
    else if (node.A_ArrayExpr) this.#array(node.A_ArrayExpr);
    else if (node.A_Indirection) this.#subscript(node.A_Indirection);
    else if (node.SubLink) this.#exists(node.SubLink);
    else throw refused(Object.keys(node)[0] ?? "an empty expression");
  }

  #expressions(nodes: readonly Node[] | undefined): void {
    for (const node of list(nodes)) this.expression(node);
  }

  #cast({ arg, typeName, location: _, ...rest }: TypeCast): void {
    nothingElse("cast", rest);
    type(typeName);
    const subquery =
      arg.SubLink?.subLinkType === "EXPR_SUBLINK" ? arg.SubLink.subselect.SelectStmt : undefined;
    if (subquery) this.#unknownValue(subquery);
    else this.expression(arg);
  }

  #boolean({ boolop: _, args, location: __, ...rest }: BooleanExpression): void {
    nothingElse("AND, OR, NOT", rest);
    this.#expressions(args);
  }

  #nullTest({ arg, nulltesttype: _, location: __, ...rest }: NullTest): void {
    nothingElse("IS NULL", rest);
    this.expression(arg);
  }

  #case({ arg, args, defresult, location: _, ...rest }: CaseExpression): void {
    nothingElse("CASE", rest);
    if (arg) this.expression(arg);
    for (const item of args) {
      const { expr, result, location: __, ...more } = known("CASE", item.CaseWhen);
      nothingElse("CASE", more);
      this.expression(expr);
      this.expression(result);
    }
    if (defresult) this.expression(defresult);
  }

  #row({ args, row_format: _, location: __, ...rest }: RowExpression): void {
    nothingElse("ROW", rest);
    this.#expressions(args);
  }

  #array({ elements, location: _, list_start: __, list_end: ___, ...rest }: ArrayExpression): void {
    nothingElse("ARRAY", rest);
    this.#expressions(elements);
  }

  #subscript({ arg, indirection, ...rest }: Subscripted): void {
    nothingElse("subscript", rest);
    this.expression(arg);
    for (const item of indirection) {
      const { lidx, uidx, is_slice: _, ...more } = known("subscript", item.A_Indices);
      nothingElse("subscript", more);
      if (lidx) this.expression(lidx);
      if (uidx) this.expression(uidx);
    }
  }

  #exists({ subLinkType, subselect, location: _, ...rest }: SubLink): void {
    nothingElse("EXISTS", rest);
    oneOf("a subquery", subLinkType, "EXISTS_SUBLINK");
    this.select(known("EXISTS", subselect.SelectStmt));
  }

  #target(node: Node): void {
    const { val, location: _, ...rest } = known("SELECT", node.ResTarget);
    nothingElse("SELECT", rest);
    this.expression(known("SELECT", val));
  }

  #returning(clause: Returning | undefined): void {
    const { exprs, ...rest } = clause ?? {};
    nothingElse("RETURNING", rest);
    for (const item of list(exprs)) this.#target(item);
  }

  #from(node: Node): void {
    if (node.RangeVar) this.#table(node.RangeVar);
    else if (node.JoinExpr) {
      const { jointype, larg, rarg, quals, ...rest } = node.JoinExpr;
      nothingElse("JOIN", rest);
      oneOf("JOIN", jointype, "JOIN_INNER", "JOIN_LEFT", "JOIN_RIGHT", "JOIN_FULL");
      this.#from(larg);
      this.#from(rarg);
      this.expression(known("JOIN", quals));
    } else if (node.RangeSubselect) {
      const { subquery, alias: name, ...rest } = node.RangeSubselect;
      nothingElse("FROM", rest);
      alias(known("FROM", name), true);
      this.select(known("FROM", subquery.SelectStmt));
    } else if (node.RangeTableSample) {
      const { relation, method, args, location: _, ...rest } = node.RangeTableSample;
      nothingElse("TABLESAMPLE", rest);
      oneOf("TABLESAMPLE", names(method).join("."), "system", "bernoulli");
      if (args?.length !== 1 || !args[0]?.A_Const) throw refused("TABLESAMPLE without a constant");
      this.findings.constants.push(args[0].A_Const);
      this.#table(known("TABLESAMPLE", relation.RangeVar));
    } else throw refused(`${Object.keys(node)[0]} in FROM`);
  }

  #table(table: RangeVariable): void {
    const { schemaname, relname: _, inh, relpersistence, alias: name, location, ...rest } = table;
    nothingElse("a table", rest);
    if (!schemaname || !inh || relpersistence !== "p" || location === undefined)
      throw refused("a table without schema");
    if (name) alias(name, false);
    this.findings.tables.push(table);
  }

  #column(column: ColumnReference): void {
    const { fields, location, ...rest } = column;
    nothingElse("a column", rest);
    const last = fields.at(-1);
    if (fields.length > 2 || (fields.length === 1 && last?.A_Star) || location === undefined)
      throw refused("such a reference to a column");
    const name = last?.String?.sval;
    if (name === "ctid") this.findings.ctids.push(column);
    else if (name !== undefined && systemColumns.has(name)) throw refused(`the system column ${name}`);
  }

  #parameter({ number, location: _, ...rest }: NonNullable<Node["ParamRef"]>): void {
    nothingElse("a parameter", rest);
    if (!number || number < 0 || number > 65535) throw refused("such a parameter");
    this.findings.parameters = Math.max(this.findings.parameters, number);
  }

  #operator(operator: OperatorExpression): void {
    const {
      kind,
      name,
      lexpr,
      rexpr,
      location: _,
      rexpr_list_start: __,
      rexpr_list_end: ___,
      ...rest
    } = operator;
    nothingElse("an operator", rest);
    oneOf(
      "such an operator",
      kind,
      "AEXPR_OP",
      "AEXPR_OP_ANY",
      "AEXPR_OP_ALL",
      "AEXPR_DISTINCT",
      "AEXPR_NOT_DISTINCT",
    );
    operatorName(name);
    if (lexpr) this.expression(lexpr);
    this.expression(rexpr);
  }

  #call(call: FunctionCall): void {
    const { funcname, args, agg_order, agg_filter, agg_within_group, agg_star, ...more } = call;
    const { agg_distinct, func_variadic, funcformat, location, ...rest } = more;
    nothingElse("a function call", rest);
    oneOf("such a function call", funcformat, "COERCE_EXPLICIT_CALL");
    const name = builtinName(funcname);
    if (!functions.has(name)) {
      throw new SqlError("42501", `the function ${names(funcname).join(".")} may not be pushed down`, {
        hint: "Only built-in immutable functions may; write it so that the query's own server evaluates it.",
      });
    }
    this.#expressions(args);
    for (const item of list(agg_order)) this.#sort(item);
    if (agg_filter) this.expression(agg_filter);
  }

  #sort(node: Node): void {
    const {
      node: expression,
      sortby_dir,
      sortby_nulls,
      useOp,
      location: _,
      ...rest
    }: SortBy = known("ORDER BY", node.SortBy);
    nothingElse("ORDER BY", rest);
    oneOf("ORDER BY", sortby_dir, "SORTBY_ASC", "SORTBY_DESC", "SORTBY_USING");
    oneOf("ORDER BY", sortby_nulls, "SORTBY_NULLS_FIRST", "SORTBY_NULLS_LAST");
    if (useOp) operatorName(useOp);
    this.expression(expression);
  }

  /** `(SELECT null::type)`, which stands for a parameter in EXPLAIN. */
  #unknownValue(select: Select): void {
    const { targetList, limitOption: _, op: __, ...rest } = select;
    nothingElse("a subquery", rest);
    const cast = targetList?.length === 1 ? targetList[0]?.ResTarget?.val?.TypeCast : undefined;
    if (!cast?.arg.A_Const?.isnull) throw refused("a subquery that yields a value");
    type(cast.typeName);
  }

  /** `pg_catalog.random() < 0.1`, by which ANALYZE takes a sample. */
  #isRandomSample(node: Node): boolean {
    const operator = node.A_Expr;
    const call = operator?.lexpr?.FuncCall;
    const constant = operator?.rexpr.A_Const;
    if (!operator || !call || !constant?.fval || operator.kind !== "AEXPR_OP") return false;
    const { funcname, funcformat: _, location: __, ...rest } = call;
    if (names(operator.name).join(".") !== "<" || names(funcname).join(".") !== "pg_catalog.random")
      return false;
    nothingElse("random()", rest);
    this.findings.constants.push(constant);
    return true;
  }
}

/** The texts of a list of strings, as names are. */
export function names(parts: readonly Node[]): string[] {
  return parts.map((part) => known("a name", part.String).sval ?? "");
}

/** The name in pg_type that a cast names. */
export function typeName(name: TypeName): string {
  return builtinName(name.names);
}

function type(name: TypeName): void {
  const { names: parts, typmods, typemod: _, arrayBounds, location: __, ...rest } = name;
  nothingElse("a type", rest);
  if (!types.has(builtinName(parts)))
    throw new SqlError("42501", `the type ${names(parts).join(".")} may not be used in what is pushed down`);
  for (const item of list(typmods)) known("a type", item.A_Const);
  for (const item of list(arrayBounds)) known("a type", item.Integer);
}

function operatorName(parts: readonly Node[]): void {
  if (!/^[-+*/<>=~!@#%^&|`?]+$/.test(builtinName(parts)))
    throw new SqlError("42501", `the operator ${names(parts).join(".")} may not be pushed down`);
}

function builtinName(parts: readonly Node[]): string {
  const [schema, name] = names(parts) as [string, string?];
  if (parts.length > 2 || (name !== undefined && schema !== "pg_catalog"))
    throw new SqlError("42501", `${names(parts).join(".")} is not built in, so it may not be pushed down`);
  return name ?? schema;
}

function locking(node: Node): void {
  const { lockedRels, strength, waitPolicy, ...rest } = known("FOR UPDATE", node.LockingClause);
  nothingElse("FOR UPDATE", rest);
  oneOf("FOR UPDATE", strength, "LCS_FORUPDATE", "LCS_FORSHARE");
  oneOf("FOR UPDATE", waitPolicy, "LockWaitBlock");
  for (const item of list(lockedRels)) {
    const { relname: _, inh: __, relpersistence: ___, location: ____, ...more } = known("OF", item.RangeVar);
    nothingElse("OF", more);
  }
}

function alias({ aliasname: _, colnames, ...rest }: Alias, columns: boolean): void {
  nothingElse("an alias", rest);
  if (colnames) {
    if (!columns) throw refused("an alias with columns");
    names(colnames);
  }
}

function list(nodes: readonly Node[] | undefined): readonly Node[] {
  return nodes ?? [];
}

function known<T>(where: string, node: T | undefined): T {
  if (node === undefined) throw refused(`such a form of ${where}`);
  return node;
}

function oneOf(where: string, value: string | undefined, ...allowed: readonly string[]): void {
  if (value === undefined || !allowed.includes(value)) throw refused(`${where} with ${value}`);
}

function nothingElse(where: string, rest: object): void {
  const key = Object.keys(rest)[0];
  if (key !== undefined) throw refused(`${key} in ${where}`);
}

function refused(what: string): SqlError {
  return new SqlError("0A000", `${what} is not accepted`, {
    detail: "Only statements that postgres_fdw sends are.",
  });
}
