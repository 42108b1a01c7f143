import { SqlError, type Value } from "@overcoat/sources";
import { type Domain, domains, type Key } from "./domain.ts";
import { textOf } from "./text.ts";
import { type ColumnType, typeInSql } from "./type.ts";

/**
 * Thrown where text can be read, or refused, by PostgreSQL only: other spellings of dates and numbers, and
 * values that do not fit their type. `Spellings` then learns what it means.
 */
export class UnknownSpelling extends Error {
  readonly type: ColumnType;
  readonly text: string;

  constructor(type: ColumnType, text: string) {
    super(`invalid input syntax for type ${type.name}: ${JSON.stringify(text)}`);
    this.type = type;
    this.text = text;
  }

  /** For where PostgreSQL cannot be asked. */
  toSqlError(): SqlError {
    return new SqlError("22P02", this.message);
  }
}

/** What PostgreSQL prints for texts that it was asked about. */
export class Spellings {
  readonly #known = new Map<string, string>();
  readonly #bound = 10_000;

  get(type: ColumnType, text: string): string | undefined {
    return this.#known.get(`${typeInSql(type)} ${text}`);
  }

  set(type: ColumnType, text: string, printed: string): void {
    if (this.#known.size >= this.#bound) this.#known.clear();
    this.#known.set(`${typeInSql(type)} ${text}`, printed);
  }
}

/** The domain whose keys compare as the type does; `undefined` for types that only PostgreSQL compares. */
export function domainOf(type: ColumnType): Domain | undefined {
  return type.isArray ? undefined : domains.get(type.name);
}

/**
 * From values as sources give them, none of them null, to keys.
 * The reader throws UnknownSpelling for what `spellings` does not know yet.
 */
export function keyReader(type: ColumnType, domain: Domain, spellings: Spellings): (value: Value) => Key {
  const text = textOf(type);
  const fits = fitsModifier(type);
  return (value) => {
    if (typeof value !== "string" && !(value instanceof Uint8Array)) {
      const key = domain.convert?.(value as Exclude<Value, null | string>);
      if (key !== undefined && !fits) return key;
    }
    const given = typeof value === "string" ? value : text(value)!;
    const spelling = typeof given === "string" ? given : Buffer.from(given).toString();
    if (!fits || fits(spelling)) {
      const key = domain.read(spelling);
      if (key !== undefined) return key;
    }
    const printed = spellings.get(type, spelling);
    if (printed === undefined) throw new UnknownSpelling(type, spelling);
    const key = domain.read(printed);
    if (key === undefined)
      throw new TypeError(`${JSON.stringify(printed)} is not understood as ${type.name}`);
    return key;
  };
}

/** Whether a text surely fits the type's length or precision, which PostgreSQL would round it to or refuse it for. */
function fitsModifier({ name, modifiers }: ColumnType): ((text: string) => boolean) | undefined {
  const [first, second = 0] = modifiers;
  if (first === undefined) return undefined;
  if (name === "varchar") return (text) => text.length <= first;
  if (name === "numeric") {
    return (text) => {
      const [, whole, fraction = ""] = /^-?(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
      return whole !== undefined && fraction.length <= second && whole.length <= first - second;
    };
  }
  if (name === "timestamp" || name === "timestamptz")
    return (text) => (/\.(\d+)/.exec(text)?.[1]?.length ?? 0) <= first;
  return () => false;
}
