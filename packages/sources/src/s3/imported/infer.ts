/** Types that are told from values, those of numbers from the narrowest. */
const numbers = ["integer", "bigint", "numeric", "double precision"];

const date = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
const timestamp =
  /^\d{4}-\d\d-\d\d[ T](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(Z|[+-]\d\d(?::?\d\d)?)?$/;
const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The narrowest type that holds this text, as it stands in a CSV file. */
export function typeOfText(text: string): string {
  if (/^-?(?:0|[1-9]\d*)$/.test(text)) return integerType(BigInt(text));
  if (/^-?(?:0|[1-9]\d*)?\.\d+$/.test(text)) return "numeric";
  if (/^-?(?:\d+\.?\d*|\.\d+)e[+-]?\d+$/i.test(text) || /^(?:nan|-?inf(?:inity)?)$/i.test(text))
    return "double precision";
  if (/^(?:true|false)$/i.test(text)) return "boolean";
  return /^[[{]/.test(text) && isJson(text) ? "jsonb" : typeOfString(text);
}

/** As `typeOfText` for what is known to be a string. */
export function typeOfString(text: string): string {
  if (date.test(text)) return "date";
  const match = timestamp.exec(text);
  if (match) return match[1] ? "timestamp with time zone" : "timestamp without time zone";
  return uuid.test(text) ? "uuid" : "text";
}

/** For a member of a JSON object; `undefined` for null, which tells nothing. */
export function typeOfJson(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return typeOfString(value);
    case "boolean":
      return "boolean";
    case "number":
      if (!Number.isInteger(value)) return "double precision";
      return Number.isSafeInteger(value) ? integerType(BigInt(value)) : "numeric";
    default:
      return value === null || value === undefined ? undefined : "jsonb";
  }
}

/** A type that holds what either holds. */
export function widen(one: string | undefined, other: string): string {
  if (one === undefined || one === other) return other;
  if (numbers.includes(one) && numbers.includes(other))
    return numbers[Math.max(numbers.indexOf(one), numbers.indexOf(other))]!;
  const both = [one, other];
  if (both.includes("jsonb")) return "jsonb";
  if (both.includes("date") && both.includes("timestamp without time zone"))
    return "timestamp without time zone";
  return "text";
}

function integerType(value: bigint): string {
  if (value === BigInt.asIntN(32, value)) return "integer";
  return value === BigInt.asIntN(64, value) ? "bigint" : "numeric";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
