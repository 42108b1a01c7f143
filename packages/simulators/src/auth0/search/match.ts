import type { Item } from "../route.ts";
import { type Bound, type Query, refused } from "./query.ts";

/** How a collection is indexed for search. */
export interface Schema {
  /** Compared without regard to case. */
  readonly folded: ReadonlySet<string>;
  readonly dates: ReadonlySet<string>;
  readonly numbers: ReadonlySet<string>;
  /** All other fields that can be searched; a name ending in `.` stands for everything under it. */
  readonly others: readonly string[];
  /** Where a term without a field is looked for. */
  readonly unnamed: readonly string[];
}

export const userSchema: Schema = {
  folded: new Set(["email", "email.domain", "name", "given_name", "family_name", "nickname"]),
  dates: new Set(["created_at", "updated_at", "last_login", "last_password_reset"]),
  numbers: new Set(["logins_count"]),
  others: [
    "user_id",
    "username",
    "picture",
    "email_verified",
    "phone_number",
    "phone_verified",
    "blocked",
    "last_ip",
    "organization_id",
    "identities.",
    "app_metadata.",
    "user_metadata.",
  ],
  unnamed: ["user_id", "email", "name", "given_name", "family_name", "nickname", "username", "phone_number"],
};

export const logSchema: Schema = {
  folded: new Set(["user_name", "client_name", "connection", "description"]),
  dates: new Set(["date"]),
  numbers: new Set([]),
  others: [
    "type",
    "log_id",
    "user_id",
    "client_id",
    "connection_id",
    "ip",
    "hostname",
    "strategy",
    "audience",
  ],
  unnamed: ["user_name", "client_name", "connection"],
};

/** Whether a query finds an object. @throws ApiError 400 for a search that its field has not */
export function matches(query: Query, item: Item, schema: Schema): boolean {
  switch (query.kind) {
    case "all":
      return query.of.every((each) => matches(each, item, schema));
    case "any":
      return query.of.some((each) => matches(each, item, schema));
    case "not":
      return !matches(query.of, item, schema);
    case "exists":
      return values(item, query.field, schema).length > 0 || holds(item, query.field, schema);
    case "range":
      return inRange(query, item, schema);
    case "equals":
      return fields(query.field, schema).some((field) =>
        values(item, field, schema).some((value) => equals(value, query.text, field, schema)),
      );
    case "wildcard": {
      if (query.field && (/_metadata\b/.test(query.field) || schema.dates.has(query.field)))
        throw refused(`wildcards on ${query.field}`);
      const pattern = query.literals.map((literal) => RegExp.escape(literal)).join(".*");
      return fields(query.field, schema).some((field) => {
        const expression = new RegExp(`^${pattern}$`, schema.folded.has(field) ? "si" : "s");
        return values(item, field, schema).some(
          (value) => typeof value === "string" && expression.test(value),
        );
      });
    }
  }
}

const fields = (field: string | undefined, schema: Schema) =>
  field === undefined ? schema.unnamed : [field];

function equals(value: unknown, text: string, field: string, schema: Schema): boolean {
  if (typeof value === "boolean") return text === String(value);
  if (typeof value === "number") return text.trim() !== "" && Number(text) === value;
  if (schema.dates.has(field)) {
    const [first, last] = period(text);
    const time = Date.parse(String(value));
    return time >= first && time <= last;
  }
  return schema.folded.has(field)
    ? String(value).toLowerCase() === text.toLowerCase()
    : String(value) === text;
}

function inRange(query: Query & { kind: "range" }, item: Item, schema: Schema): boolean {
  const { field, min, max } = query;
  const dated = schema.dates.has(field);
  if (!dated && !schema.numbers.has(field)) throw refused(`ranges on ${field}`);
  // As in Elasticsearch, a date without its smaller parts stands for its first or last moment, so that
  // `{2018-01-15 TO *]` begins on the 16th.
  const low = ({ text, inclusive }: Bound) => (dated ? period(text)[inclusive ? 0 : 1] : numeric(text));
  const high = ({ text, inclusive }: Bound) => (dated ? period(text)[inclusive ? 1 : 0] : numeric(text));
  return values(item, field, schema).some((value) => {
    const point = dated ? Date.parse(String(value)) : Number(value);
    return (
      (!min || (min.inclusive ? point >= low(min) : point > low(min))) &&
      (!max || (max.inclusive ? point <= high(max) : point < high(max)))
    );
  });
}

function numeric(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw refused(`the number ${text}`);
  return value;
}

/** The first and the last millisecond of a date that may lack its smaller parts. */
function period(text: string): [first: number, last: number] {
  const parts =
    /^(\d{4})(?:-(\d\d)(?:-(\d\d)(T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?$/.exec(text);
  if (!parts) throw refused(`the date ${text}`);
  const [, year, month, day, time, , , seconds, fraction] = parts;
  const first = Date.parse(time && !parts[9] ? `${text}Z` : text);
  if (Number.isNaN(first)) throw refused(`the date ${text}`);
  if (fraction) return [first, first];
  if (seconds) return [first, first + 999];
  if (time) return [first, first + 59_999];
  if (day) return [first, first + 86_399_999];
  const next = month ? Date.UTC(Number(year), Number(month)) : Date.UTC(Number(year) + 1, 0);
  return [first, next - 1];
}

/** The values that are indexed under a field: those in arrays one by one, never null. */
function values(item: Item, field: string, schema: Schema): (string | number | boolean)[] {
  if (!searchable(field, schema)) return [];
  if (field === "email.domain")
    return typeof item.email === "string" ? [item.email.slice(item.email.indexOf("@") + 1)] : [];
  return reach(item, field).filter(
    (value) => typeof value === "string" || typeof value === "number" || typeof value === "boolean",
  );
}

/** Whether anything is indexed under an object's name. */
function holds(item: Item, field: string, schema: Schema): boolean {
  if (!searchable(`${field}.`, schema)) return false;
  return reach(item, field).some(function filled(value): boolean {
    if (typeof value !== "object") return true;
    return value !== null && Object.values(value).some(filled);
  });
}

function searchable(field: string, { folded, dates, numbers, others }: Schema): boolean {
  if (folded.has(field) || dates.has(field) || numbers.has(field)) return true;
  return others.some((other) => (other.endsWith(".") ? field.startsWith(other) : field === other));
}

function reach(item: Item, field: string): unknown[] {
  let found: unknown[] = [item];
  for (const name of field.split(".")) {
    found = found
      .filter((value): value is Item => typeof value === "object" && value !== null)
      .flatMap((value) => (Object.hasOwn(value, name) ? value[name] : []))
      .flat();
  }
  return found;
}
