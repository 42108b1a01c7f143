import { type Row, SqlError } from "@overcoat/sources";
import { type Text, textOf } from "../evaluate/text.ts";
import { originalName } from "../statement/lexical.ts";
import type { ModifyStatement } from "../statement/statement.ts";
import type { Update } from "../statement/tree.ts";
import { type Bindings, type Constant, columnName, readConstant, textOfConstant } from "./constant.ts";
import type { QueryContext } from "./context.ts";
import { type Modified, modification } from "./modification.ts";
import { modifyInScratch } from "./modify-scratch.ts";
import { openTables, type Prepared, prepare } from "./prepare.ts";
import type { Relation } from "./relation.ts";
import { readRows } from "./rows.ts";
import { columnTypes, planTable, tableScope } from "./table.ts";
import { conjuncts, doubt, readCondition, type Scope } from "./where.ts";

export type { Modified } from "./modification.ts";

/** The rows that a direct UPDATE or DELETE changes, and what they become. Nothing is changed here. */
export async function* modify(
  statement: ModifyStatement,
  parameters: readonly (string | null)[],
  context: QueryContext,
): AsyncGenerator<readonly Modified[]> {
  const relations = await openTables(statement, context);
  const prepared = prepare(statement, relations);
  const bindings = { lexed: statement.lexed, parameters };
  const simple = relations.length === 1 ? readSimple(statement, relations[0]!) : undefined;
  if (simple) {
    const batches = await modifyHere(simple, relations[0]!, prepared, bindings, context);
    if (batches) {
      yield* batches;
      return;
    }
  }
  yield* modifyInScratch(statement, relations, prepared, bindings, context);
}

/** SET column = constant or column … WHERE conditions that are evaluated here. */
interface SimpleModify {
  readonly set: readonly Assignment[];
  readonly returning: readonly (number | null)[];
  readonly hasWhere: boolean;
}

interface Assignment {
  readonly column: number;
  readonly value: Constant | number;
}

function readSimple(
  { form, lexed, kind }: ModifyStatement,
  { definition }: Relation,
): SimpleModify | undefined {
  const scope = tableScope(definition, form.tables[0]!.alias, form.slots, lexed.names);
  const statement = modification(form.tree);
  const { whereClause, returningClause } = statement;
  if (!conjuncts(whereClause).every((node) => readCondition(node, scope))) return undefined;
  const returning = (returningClause?.exprs ?? []).map(({ ResTarget }) => {
    const value = ResTarget!.val!;
    return value.A_Const?.isnull ? null : scope.column(value);
  });
  const set = kind === "update" ? readAssignments(statement as Update, scope, lexed.names) : [];
  if (!set || !returning.every((output) => output !== undefined)) return undefined;
  return { set, returning, hasWhere: whereClause !== undefined };
}

function readAssignments(
  { targetList }: Update,
  scope: Scope,
  longNames: readonly string[],
): readonly Assignment[] | undefined {
  const assignments: Assignment[] = [];
  for (const { ResTarget } of targetList) {
    const column = scope.position(ResTarget!.name!);
    if (column === undefined)
      throw new SqlError("42703", `column "${originalName(ResTarget!.name!, longNames)}" does not exist`);
    const value = ResTarget!.val!;
    const source = columnName(value) && scope.column(value);
    const constant = readConstant(value, scope.slots);
    const type = scope.types[column]!;
    // Other types are converted, and lengths and precisions kept, by PostgreSQL.
    if (type.modifiers.length > 0 || type.isArray) return undefined;
    if (source !== undefined) {
      if (scope.types[source]!.name !== type.name || scope.types[source]!.isArray) return undefined;
      assignments.push({ column, value: source });
    } else if (constant && isOfType(constant, type.name)) assignments.push({ column, value: constant });
    else return undefined;
  }
  return assignments;
}

/** Constants of these types are told by the database that sends them in the form that it prints. */
function isOfType({ type, source }: Constant, column: string): boolean {
  if (type === column) return true;
  if (typeof source === "object" && "text" in source && source.text === null) return true;
  return (column === "text" || column === "varchar") && (type === "text" || type === "varchar");
}

/** `undefined` where only PostgreSQL reads a constant. */
async function modifyHere(
  { set, returning, hasWhere }: SimpleModify,
  relation: Relation,
  { used, conditions }: Prepared,
  bindings: Bindings,
  { scratch, signal }: QueryContext,
): Promise<AsyncGenerator<readonly Modified[]> | undefined> {
  const columns = [...used[0]!.columns];
  const wanted = { columns, identity: true, sort: [] };
  const read = await planTable(relation, wanted, hasWhere ? conditions[0]! : [], bindings, true).catch(
    (error) => {
      if (error === doubt) return undefined;
      throw error;
    },
  );
  if (!read) return undefined;
  const width = relation.definition.columns.length;
  const types = columnTypes(relation.definition);
  const texts = columns.map((column) => textOf(types[column]!));
  const constants = set.map(({ value }) =>
    typeof value === "number" ? undefined : textOfConstant(value, bindings),
  );
  const modified = (row: Row): Modified => {
    const before: (string | null | undefined)[] = new Array(width).fill(undefined);
    for (const [index, column] of columns.entries()) before[column] = characters(texts[index]!(row[index]!));
    const after = set.length > 0 ? new Array<string | null | undefined>(width).fill(undefined) : undefined;
    for (const [index, { column, value }] of set.entries())
      after![column] = typeof value === "number" ? before[value] : constants[index];
    const current = (column: number) =>
      (after?.[column] === undefined ? before[column] : after[column]) ?? null;
    return {
      identity: row[columns.length] as string,
      version: row[columns.length + 1] as string | undefined,
      before,
      after,
      returning: returning.map((column) => (column === null ? null : current(column))),
    };
  };
  async function* batches(): AsyncGenerator<readonly Modified[]> {
    for await (const rows of readRows(read!, scratch, signal)) yield rows.map(modified);
  }
  return batches();
}

function characters(text: Text): string | null {
  return text instanceof Uint8Array ? Buffer.from(text).toString() : text;
}
