import type { FileMetaData, SchemaElement, SchemaTree } from "hyparquet";

/** What a leaf's raw values mean (https://github.com/apache/parquet-format/blob/master/LogicalTypes.md). */
export type Kind =
  | {
      readonly kind:
        | "boolean"
        | "float"
        | "double"
        | "string"
        | "bytes"
        | "date"
        | "interval"
        | "uuid"
        | "json";
    }
  | { readonly kind: "integer"; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number }
  | { readonly kind: "timestamp"; readonly unit: Unit; readonly utc: boolean }
  | { readonly kind: "time"; readonly unit: Unit }
  | { readonly kind: "int96" }
  | { readonly kind: "list"; readonly element: Field }
  | { readonly kind: "map"; readonly value: Field }
  | { readonly kind: "struct"; readonly fields: readonly Field[] }
  | { readonly kind: "variant" };

export type Unit = "MILLIS" | "MICROS" | "NANOS";

export interface Field {
  readonly name: string;
  readonly kind: Kind;
}

/** The file's columns. */
export const fieldsOf = (tree: SchemaTree): Field[] => tree.children.map(fieldOf);

function fieldOf(node: SchemaTree): Field {
  const { element, children } = node;
  const { name, repetition_type: repetition } = element;
  const kind = children.length ? groupKind(node) : leafKind(element);
  return { name, kind: repetition === "REPEATED" ? { kind: "list", element: { name, kind } } : kind };
}

function groupKind({ element, children }: SchemaTree): Kind {
  const { converted_type: converted, logical_type: logical } = element;
  if (logical?.type === "VARIANT") return { kind: "variant" };
  const [only] = children;
  if (converted === "LIST" && children.length === 1 && only!.element.repetition_type === "REPEATED") {
    const [inner, ...more] = only!.children;
    const element: Field =
      inner && more.length === 0
        ? fieldOf(inner)
        : {
            name: only!.element.name,
            kind: only!.children.length ? groupKind(only!) : leafKind(only!.element),
          };
    return { kind: "list", element };
  }
  if ((converted === "MAP" || converted === "MAP_KEY_VALUE") && only?.children.length === 2)
    return { kind: "map", value: fieldOf(only.children[1]!) };
  return { kind: "struct", fields: children.map(fieldOf) };
}

function leafKind(element: SchemaElement): Kind {
  const { type, converted_type: converted, logical_type: logical, scale = 0, precision = 0 } = element;
  switch (logical?.type) {
    case "TIMESTAMP":
      return { kind: "timestamp", unit: logical.unit, utc: logical.isAdjustedToUTC };
    case "TIME":
      return { kind: "time", unit: logical.unit };
    case "DECIMAL":
      return { kind: "decimal", precision: logical.precision, scale: logical.scale };
    case "UUID":
      return { kind: "uuid" };
    case "FLOAT16":
      return { kind: "float" };
    case "INTEGER":
      return { kind: "integer", bits: logical.bitWidth as 8 | 16 | 32 | 64, signed: logical.isSigned };
    case "STRING":
    case "ENUM":
      return { kind: "string" };
    case "DATE":
      return { kind: "date" };
    case "JSON":
      return { kind: "json" };
  }
  switch (converted) {
    case "UTF8":
    case "ENUM":
      return { kind: "string" };
    case "JSON":
      return { kind: "json" };
    case "DECIMAL":
      return { kind: "decimal", precision, scale };
    case "DATE":
      return { kind: "date" };
    case "TIME_MILLIS":
      return { kind: "time", unit: "MILLIS" };
    case "TIME_MICROS":
      return { kind: "time", unit: "MICROS" };
    case "TIMESTAMP_MILLIS":
      return { kind: "timestamp", unit: "MILLIS", utc: true };
    case "TIMESTAMP_MICROS":
      return { kind: "timestamp", unit: "MICROS", utc: true };
    case "INTERVAL":
      return { kind: "interval" };
  }
  const integer = /^(U?)INT_(8|16|32|64)$/.exec(converted ?? "");
  if (integer)
    return { kind: "integer", bits: Number(integer[2]) as 8 | 16 | 32 | 64, signed: integer[1] === "" };
  switch (type) {
    case "BOOLEAN":
      return { kind: "boolean" };
    case "INT32":
      return { kind: "integer", bits: 32, signed: true };
    case "INT64":
      return { kind: "integer", bits: 64, signed: true };
    case "INT96":
      return { kind: "int96" };
    case "FLOAT":
      return { kind: "float" };
    case "DOUBLE":
      return { kind: "double" };
    default:
      return { kind: "bytes" };
  }
}

/** Leaves whose values the library would turn into something less exact, or cannot read at all. */
const kept = /^(UTF8|STRING|UINT_|INTEGER$|FLOAT16$|VARIANT$)/;

/**
 * The metadata with the meaning taken off the leaves, so that the library gives their values as they are stored;
 * strings it may decode, for it does so once for each entry of a dictionary.
 */
export function withRawLeaves(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map((element): SchemaElement => {
    if (element.num_children) return element;
    const { converted_type: converted, logical_type: logical, ...raw } = element;
    if (kept.test(converted ?? logical?.type ?? "")) return element;
    if (/^(JSON|ENUM)$/.test(converted ?? logical?.type ?? "")) return { ...raw, converted_type: "UTF8" };
    return raw;
  });
  return { ...metadata, schema };
}
