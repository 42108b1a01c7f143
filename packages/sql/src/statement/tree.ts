/** The part of libpg_query's tree (https://github.com/pganalyze/libpg_query) that `check.ts` lets through. */

export interface Node {
  readonly A_ArrayExpr?: ArrayExpression;
  readonly A_Const?: Constant;
  readonly A_Expr?: OperatorExpression;
  readonly A_Indices?: Subscript;
  readonly A_Indirection?: Subscripted;
  readonly A_Star?: object;
  readonly BoolExpr?: BooleanExpression;
  readonly CaseExpr?: CaseExpression;
  readonly CaseWhen?: CaseBranch;
  readonly ColumnRef?: ColumnReference;
  readonly DeleteStmt?: Delete;
  readonly FuncCall?: FunctionCall;
  readonly InsertStmt?: Insert;
  readonly Integer?: { readonly ival?: number };
  readonly JoinExpr?: Join;
  readonly List?: { readonly items?: readonly Node[] };
  readonly LockingClause?: Locking;
  readonly NullTest?: NullTest;
  readonly ParamRef?: { readonly number?: number; readonly location?: number };
  readonly RangeSubselect?: RangeSubselect;
  readonly RangeTableSample?: TableSample;
  readonly RangeVar?: RangeVariable;
  readonly ResTarget?: Target;
  readonly RowExpr?: RowExpression;
  readonly SelectStmt?: Select;
  readonly SetToDefault?: object;
  readonly SortBy?: SortBy;
  readonly String?: { readonly sval?: string };
  readonly SubLink?: SubLink;
  readonly TruncateStmt?: Truncate;
  readonly TypeCast?: TypeCast;
  readonly UpdateStmt?: Update;
}

/** Byte offset in the text that was parsed. */
interface Located {
  readonly location?: number;
}

export interface ArrayExpression extends Located {
  readonly elements?: readonly Node[];
  readonly list_start?: number;
  readonly list_end?: number;
}
export interface Constant extends Located {
  readonly isnull?: boolean;
  readonly ival?: { readonly ival?: number };
  readonly fval?: { readonly fval?: string };
  readonly boolval?: { readonly boolval?: boolean };
  readonly sval?: { readonly sval?: string };
  readonly bsval?: { readonly bsval?: string };
}
export interface OperatorExpression extends Located {
  readonly kind: string;
  readonly name: readonly Node[];
  readonly lexpr?: Node;
  readonly rexpr: Node;
  readonly rexpr_list_start?: number;
  readonly rexpr_list_end?: number;
}
export interface Subscript {
  readonly is_slice?: boolean;
  readonly lidx?: Node;
  readonly uidx?: Node;
}
export interface Subscripted {
  readonly arg: Node;
  readonly indirection: readonly Node[];
}
export interface BooleanExpression extends Located {
  readonly boolop: "AND_EXPR" | "OR_EXPR" | "NOT_EXPR";
  readonly args: readonly Node[];
}
export interface CaseExpression extends Located {
  readonly arg?: Node;
  readonly args: readonly Node[];
  readonly defresult?: Node;
}
export interface CaseBranch extends Located {
  readonly expr: Node;
  readonly result: Node;
}
export interface ColumnReference extends Located {
  readonly fields: readonly Node[];
}
export interface FunctionCall extends Located {
  readonly funcname: readonly Node[];
  readonly args?: readonly Node[];
  readonly agg_order?: readonly Node[];
  readonly agg_filter?: Node;
  readonly agg_within_group?: boolean;
  readonly agg_star?: boolean;
  readonly agg_distinct?: boolean;
  readonly func_variadic?: boolean;
  readonly funcformat?: string;
}
export interface Join {
  readonly jointype: string;
  readonly larg: Node;
  readonly rarg: Node;
  readonly quals?: Node;
}
export interface Locking {
  readonly lockedRels?: readonly Node[];
  readonly strength: string;
  readonly waitPolicy: string;
}
export interface NullTest extends Located {
  readonly arg: Node;
  readonly nulltesttype: "IS_NULL" | "IS_NOT_NULL";
}
export interface RangeSubselect {
  readonly subquery: Node;
  readonly alias?: Alias;
}
export interface Alias {
  readonly aliasname: string;
  readonly colnames?: readonly Node[];
}
export interface TableSample extends Located {
  readonly relation: Node;
  readonly method: readonly Node[];
  readonly args?: readonly Node[];
}
export interface RangeVariable extends Located {
  readonly schemaname?: string;
  readonly relname: string;
  readonly inh?: boolean;
  readonly relpersistence?: string;
  readonly alias?: Alias;
}
export interface Target extends Located {
  readonly name?: string;
  readonly val?: Node;
}
export interface RowExpression extends Located {
  readonly args?: readonly Node[];
  readonly row_format?: string;
}
export interface SortBy extends Located {
  readonly node: Node;
  readonly sortby_dir: string;
  readonly sortby_nulls: string;
  readonly useOp?: readonly Node[];
}
export interface SubLink extends Located {
  readonly subLinkType: string;
  readonly subselect: Node;
}
export interface TypeCast extends Located {
  readonly arg: Node;
  readonly typeName: TypeName;
}
export interface TypeName extends Located {
  readonly names: readonly Node[];
  readonly typmods?: readonly Node[];
  readonly typemod?: number;
  readonly arrayBounds?: readonly Node[];
}
export interface Select {
  readonly targetList?: readonly Node[];
  readonly fromClause?: readonly Node[];
  readonly whereClause?: Node;
  readonly groupClause?: readonly Node[];
  readonly havingClause?: Node;
  readonly sortClause?: readonly Node[];
  readonly limitOffset?: Node;
  readonly limitCount?: Node;
  readonly limitOption?: string;
  readonly lockingClause?: readonly Node[];
  readonly valuesLists?: readonly Node[];
  readonly op?: string;
}
export interface Returning {
  readonly exprs?: readonly Node[];
}
export interface Update {
  readonly relation: RangeVariable;
  readonly targetList: readonly Node[];
  readonly fromClause?: readonly Node[];
  readonly whereClause?: Node;
  readonly returningClause?: Returning;
}
export interface Delete {
  readonly relation: RangeVariable;
  readonly usingClause?: readonly Node[];
  readonly whereClause?: Node;
  readonly returningClause?: Returning;
}
export interface Insert {
  readonly relation: RangeVariable;
  readonly cols?: readonly Node[];
  readonly selectStmt?: Node;
  readonly onConflictClause?: { readonly action?: string; readonly location?: number };
  readonly returningClause?: Returning;
  readonly override?: string;
}
export interface Truncate {
  readonly relations: readonly Node[];
  readonly restart_seqs?: boolean;
  readonly behavior?: string;
}
