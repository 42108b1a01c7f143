import { SqlError } from "@overcoat/sources";
import { parseSync } from "libpg-query";
import { Checker, type Findings } from "./check.ts";
import type { Delete, Insert, Node, RangeVariable, Select, Truncate, Update } from "./tree.ts";

/** What statements that differ in constants and long names only have in common, parsed and checked. */
export interface Form {
  readonly tree:
    | { readonly kind: "select"; readonly select: Select }
    | { readonly kind: "update"; readonly update: Update }
    | { readonly kind: "delete"; readonly delete: Delete }
    | { readonly kind: "insert"; readonly insert: Insert }
    | { readonly kind: "truncate"; readonly truncate: Truncate };
  /** Schema and name as they stand in the form, in the order of the tree. */
  readonly tables: readonly FormTable[];
  /** The number of a literal by the location of its node. */
  readonly slots: ReadonlyMap<number, number>;
  /** The form cut at its literals, tables and ctids. */
  readonly pieces: readonly Piece[];
  readonly parameters: number;
}

export interface FormTable {
  readonly node: RangeVariable;
  readonly schema: string;
  readonly name: string;
  readonly alias: string | undefined;
}

export type Piece =
  | string
  | { readonly literal: number }
  | { readonly table: number }
  /** `ctid`, with the alias before it if there is one. */
  | { readonly ctid: string };

/**
 * Parses and checks the form of a statement (see `lexical.ts`); the parser must have been loaded.
 * @throws SqlError 42601, 42501 or 0A000
 */
export function parseForm(form: string, literals: readonly number[]): Form {
  const statements = parse(form);
  const statement = statements[0];
  if (!statement || statements.length > 1)
    throw new SqlError("0A000", "one statement at a time is accepted, without a semicolon");
  const checker = new Checker();
  const tree = check(statement, checker);
  const { tables, constants, ctids, parameters } = checker.findings;
  const character = characterOffsets(form);
  const slots = new Map<number, number>();
  const numbers = new Map(literals.map((position, number) => [position, number]));
  for (const { location = 0 } of constants) {
    const number = numbers.get(character(location));
    if (number !== undefined) slots.set(location, number);
  }
  if (slots.size !== literals.length) throw new SqlError("0A000", "a constant stands where none is accepted");
  return {
    tree,
    tables: tables.map((node) => ({
      node,
      schema: node.schemaname!,
      name: node.relname,
      alias: node.alias?.aliasname,
    })),
    slots,
    pieces: cut(form, literals, { tables, ctids }, character),
    parameters,
  };
}

function parse(form: string): Node[] {
  try {
    const { stmts = [] } = parseSync(form) as { stmts?: { stmt: Node }[] };
    return stmts.map(({ stmt }) => stmt);
  } catch (error) {
    if (error instanceof Error && "sqlDetails" in error) throw new SqlError("42601", error.message);
    throw new SqlError("54001", "the statement is nested too deeply", { cause: error });
  }
}

function check(node: Node, checker: Checker): Form["tree"] {
  try {
    if (node.SelectStmt) {
      checker.select(node.SelectStmt);
      return { kind: "select", select: node.SelectStmt };
    }
    if (node.UpdateStmt) {
      checker.update(node.UpdateStmt);
      return { kind: "update", update: node.UpdateStmt };
    }
    if (node.DeleteStmt) {
      checker.delete(node.DeleteStmt);
      return { kind: "delete", delete: node.DeleteStmt };
    }
    if (node.InsertStmt) {
      checker.insert(node.InsertStmt);
      return { kind: "insert", insert: node.InsertStmt };
    }
    if (node.TruncateStmt) {
      checker.truncate(node.TruncateStmt);
      return { kind: "truncate", truncate: node.TruncateStmt };
    }
  } catch (error) {
    if (error instanceof RangeError) throw new SqlError("54001", "the statement is nested too deeply");
    throw error;
  }
  throw new SqlError("0A000", `${Object.keys(node)[0]} is not accepted`, {
    detail: "Only statements that postgres_fdw sends are.",
  });
}

const identifier = String.raw`(?:"(?:[^"]|"")*"|[a-zA-Z_\u0080-\uffff][\w$\u0080-\uffff]*)`;
const qualifiedTable = new RegExp(`${identifier}\\.${identifier}`, "y");
const ctidColumn = new RegExp(`(${identifier}\\.)?ctid\\b`, "y");

function cut(
  form: string,
  literals: readonly number[],
  { tables, ctids }: Pick<Findings, "tables" | "ctids">,
  character: (location: number) => number,
): Piece[] {
  const match = (pattern: RegExp, start: number) => {
    pattern.lastIndex = start;
    const found = pattern.exec(form);
    if (!found)
      throw new SqlError("0A000", `the name at character ${start + 1} is not written as postgres_fdw does`);
    return found;
  };
  const cuts: { start: number; length: number; piece: Piece }[] = [
    ...literals.map((start, literal) => ({ start, length: form[start] === "'" ? 3 : 1, piece: { literal } })),
    ...tables.map(({ location = 0 }, table) => {
      const start = character(location);
      return { start, length: match(qualifiedTable, start)[0].length, piece: { table } };
    }),
    ...ctids.map(({ location = 0 }) => {
      const start = character(location);
      const [text, alias = ""] = match(ctidColumn, start);
      return { start, length: text.length, piece: { ctid: alias } };
    }),
  ].sort((a, b) => a.start - b.start);
  const pieces: Piece[] = [];
  let end = 0;
  for (const { start, length, piece } of cuts) {
    if (start > end) pieces.push(form.slice(end, start));
    pieces.push(piece);
    end = start + length;
  }
  if (end < form.length) pieces.push(form.slice(end));
  return pieces;
}

/** From libpg_query's byte offsets to characters. */
function characterOffsets(form: string): (location: number) => number {
  const bytes = Buffer.from(form);
  if (bytes.length === form.length) return (location) => location;
  return (location) => bytes.toString("utf8", 0, location).length;
}
