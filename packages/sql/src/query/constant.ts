import { names, typeName } from "../statement/check.ts";
import type { Form } from "../statement/form.ts";
import type { Lexed } from "../statement/lexical.ts";
import type { Node, TypeName } from "../statement/tree.ts";

/** A constant of a form: where its text is found once a statement and its parameters are known. */
export interface Constant {
  readonly source:
    | { readonly slot: number }
    | { readonly parameter: number }
    | { readonly text: string | null }
    /** Stands for a parameter in EXPLAIN. */
    | "unknown";
  /** In pg_type; `undefined` for an untyped literal or NULL. */
  readonly type: string | undefined;
  /** The most characters of a cast to varchar(n), which cuts. */
  readonly length?: number;
}

/** A statement's literals and parameters; without parameters they are unknown, as for EXPLAIN. */
export interface Bindings {
  readonly lexed: Lexed;
  readonly parameters: readonly (string | null)[] | undefined;
}

/** The constant that an expression is, if it is one. */
export function readConstant(node: Node, slots: Form["slots"]): Constant | undefined {
  const { A_Const: constant, TypeCast: cast } = node;
  if (cast) {
    const type = typeName(cast.typeName);
    if (cast.typeName.arrayBounds) return undefined;
    const inner = readCastable(cast.arg, slots);
    const length = castLength(type, cast.typeName);
    return inner && length !== undefined
      ? { source: inner.source, type, ...(length > 0 && { length }) }
      : undefined;
  }
  if (!constant) return undefined;
  const slot = slots.get(constant.location ?? 0);
  if (constant.isnull) return { source: { text: null }, type: undefined };
  if (constant.sval)
    return { source: slot === undefined ? { text: constant.sval.sval ?? "" } : { slot }, type: undefined };
  if (constant.ival)
    return {
      source: slot === undefined ? { text: String(constant.ival.ival ?? 0) } : { slot },
      type: "int4",
    };
  if (constant.boolval) return { source: { text: constant.boolval.boolval ? "t" : "f" }, type: "bool" };
  const number = constant.fval?.fval;
  if (number === undefined) return undefined;
  const isLong = /^-?\d+$/.test(number) && BigInt.asIntN(64, BigInt(number)) === BigInt(number);
  return { source: { text: number }, type: isLong ? "int8" : "numeric" };
}

/** The text of an array's constant and the type of its elements: `'{a,b}'::text[]`, `$1::text[]`. */
export function readArrayConstant(node: Node, slots: Form["slots"]): Constant | undefined {
  const cast = node.TypeCast;
  if (cast?.typeName.arrayBounds?.length !== 1 || cast.typeName.typmods) return undefined;
  const inner = readCastable(cast.arg, slots);
  return inner && { source: inner.source, type: typeName(cast.typeName) };
}

/** What may stand before `::`: a constant, a parameter, or what stands for one. */
function readCastable(node: Node, slots: Form["slots"]): Pick<Constant, "source"> | undefined {
  if (node.ParamRef) return { source: { parameter: node.ParamRef.number! } };
  if (node.SubLink) return { source: "unknown" };
  return node.A_Const && readConstant(node, slots);
}

/** 0 where the cast changes nothing, `undefined` where it may. */
function castLength(type: string, { typmods }: TypeName): number | undefined {
  if (!typmods) return 0;
  return type === "varchar" ? typmods[0]?.A_Const?.ival?.ival : undefined;
}

/** `undefined` for what is not known yet. */
export function textOfConstant(
  { source, length }: Constant,
  { lexed, parameters }: Bindings,
): string | null | undefined {
  const text = textOfSource(source, lexed, parameters);
  if (length === undefined || typeof text !== "string" || text.length <= length) return text;
  return [...text].slice(0, length).join("");
}

function textOfSource(
  source: Constant["source"],
  lexed: Lexed,
  parameters: Bindings["parameters"],
): string | null | undefined {
  if (source === "unknown") return undefined;
  if ("text" in source) return source.text;
  if ("slot" in source) return lexed.literals[source.slot]!.value;
  return parameters?.[source.parameter - 1];
}

/** The last name of a column reference, and the alias before it. */
export function columnName(node: Node): { alias: string | undefined; name: string } | undefined {
  const fields = node.ColumnRef?.fields;
  if (!fields || fields.at(-1)?.A_Star) return undefined;
  const parts = names(fields);
  return { alias: parts.length > 1 ? parts[0] : undefined, name: parts.at(-1)! };
}
