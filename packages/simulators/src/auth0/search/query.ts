import lucene from "lucene";
import { ApiError } from "../errors.ts";

/** A search as Auth0 reads it: Lucene's syntax with NOT before AND before OR. */
export type Query =
  | { readonly kind: "all" | "any"; readonly of: readonly Query[] }
  | { readonly kind: "not"; readonly of: Query }
  | { readonly kind: "exists"; readonly field: string }
  | { readonly kind: "equals"; readonly field: string | undefined; readonly text: string }
  /** Literals between asterisks: `*usa` is `["", "usa"]`. */
  | { readonly kind: "wildcard"; readonly field: string | undefined; readonly literals: readonly string[] }
  | { readonly kind: "range"; readonly field: string; readonly min?: Bound; readonly max?: Bound };

export interface Bound {
  readonly text: string;
  readonly inclusive: boolean;
}

/** @throws ApiError 400 for what is no query, and for what Lucene has and Auth0 has not */
export function parseQuery(q: string): Query {
  let tree: lucene.AST;
  try {
    tree = lucene.parse(q);
  } catch {
    throw refused(q);
  }
  return fromTree(tree, undefined);
}

/** The refusal of a query. */
export const refused = (why: string) =>
  new ApiError(400, `The query could not be parsed or is not supported: ${why}`, "invalid_query_string");

type Operand = lucene.AST | lucene.Node;

function fromTree(node: Operand, field: string | undefined): Query {
  if ("term_min" in node) return fromRange(node);
  if ("term" in node) return fromTerm(node, field);
  const inner = node.field ?? field;
  // The parser nests `a AND b OR c` to the right whatever the operators: unroll, then group by precedence.
  const groups: Query[][] = [[]];
  const add = (operand: Operand, negated: boolean) => {
    const query = fromTree(operand, inner);
    groups.at(-1)!.push(negated ? { kind: "not", of: query } : query);
  };
  let rest: Operand | undefined = node;
  let negated = false;
  while (rest) {
    if (!("left" in rest) || (rest !== node && (rest.parenthesized || rest.field))) {
      add(rest, negated);
      break;
    }
    if (!rest.left) throw refused("an empty query");
    add(rest.left, negated || ("start" in rest && rest.start === "NOT"));
    if (!("operator" in rest)) break;
    if (rest.operator.startsWith("OR") || rest.operator === "<implicit>") groups.push([]);
    negated = rest.operator.endsWith("NOT");
    rest = rest.right;
  }
  return joined(
    "any",
    groups.map((group) => joined("all", group)),
  );
}

const joined = (kind: "all" | "any", of: readonly Query[]): Query =>
  of.length === 1 ? of[0]! : { kind, of };

function fromRange(node: lucene.NodeRangedTerm): Query {
  const { inclusive } = node;
  const bound = (raw: string, included: boolean) =>
    raw === "*" ? undefined : { text: plain(raw), inclusive: included };
  return {
    kind: "range",
    field: node.field,
    min: bound(node.term_min, inclusive === "both" || inclusive === "left"),
    max: bound(node.term_max, inclusive === "both" || inclusive === "right"),
  };
}

function fromTerm(node: lucene.NodeTerm, outer: string | undefined): Query {
  const { term, quoted } = node;
  if (node.regex || node.boost || node.similarity || ("proximity" in node && node.proximity))
    throw refused("regular expressions, boosts, fuzzy and proximity searches");
  let field = node.field === "<implicit>" ? outer : node.field;
  const negated = node.prefix === "-" || field?.startsWith("-");
  field = field?.replace(/^[-+]/, "");
  const query = termQuery(field, term, quoted);
  return negated ? { kind: "not", of: query } : query;
}

function termQuery(field: string | undefined, term: string, quoted: boolean): Query {
  if (field === "_exists_") return { kind: "exists", field: plain(term) };
  if (quoted) return { kind: "equals", field, text: plain(term) };
  const pieces: readonly string[] = term.match(/\\.|[^\\]/gs) ?? [];
  if (pieces.includes("?")) throw refused("the wildcard ?");
  if (!pieces.includes("*")) return { kind: "equals", field, text: plain(term) };
  const literals = [""];
  for (const piece of pieces) {
    if (piece === "*") literals.push("");
    else literals[literals.length - 1] += plain(piece);
  }
  const prefix = literals.length === 2 && literals[1] === "";
  if (!prefix && literals.some((literal) => literal.length > 0 && literal.length < 3))
    throw refused("literals beside a wildcard must have 3 characters or more, except for a prefix");
  return { kind: "wildcard", field, literals };
}

const plain = (raw: string) => raw.replace(/\\(.)/gs, "$1");
