/** A number that JavaScript's own cannot hold exactly. */
export interface Decimal {
  readonly text: string;
  /** The value is `digits` × 10 ** `exponent`. */
  readonly digits: bigint;
  readonly exponent: number;
}

const syntax = /^[ \t\n\r\f\v]*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?[ \t\n\r\f\v]*$/;

/**
 * A numeric as a number where all its digits fit (two decimals of at most 15 digits compare as their nearest
 * doubles do), else exactly. `undefined` for what is not written in plain decimals.
 */
export function readDecimal(text: string): number | Decimal | undefined {
  const match = syntax.exec(text);
  if (!match) return text === "NaN" || text === "Infinity" || text === "-Infinity" ? Number(text) : undefined;
  const [, sign, whole = "", fraction = "", power = "0"] = match;
  if (whole === "" && fraction === "") return undefined;
  const exponent = Number(power) - fraction.length;
  if (Math.abs(Number(power)) > 1000) return undefined;
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return 0;
  if (significant.length <= 15 && Math.abs(exponent + digits.length) < 250) return Number(text);
  return {
    text,
    digits: BigInt(`${sign === "-" ? "-" : ""}${significant}`),
    exponent: exponent + digits.length - significant.length,
  };
}

export function compareDecimals(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") {
    if (a < b) return -1;
    if (a > b) return 1;
    if (a === b) return 0;
    return Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : -1;
  }
  if (Number.isNaN(a) || a === Number.POSITIVE_INFINITY || b === Number.NEGATIVE_INFINITY) return 1;
  if (Number.isNaN(b) || b === Number.POSITIVE_INFINITY || a === Number.NEGATIVE_INFINITY) return -1;
  const left = exact(a as number | Decimal);
  const right = exact(b as number | Decimal);
  const exponent = Math.min(left.exponent, right.exponent);
  const leftDigits = left.digits * 10n ** BigInt(left.exponent - exponent);
  const rightDigits = right.digits * 10n ** BigInt(right.exponent - exponent);
  return leftDigits < rightDigits ? -1 : leftDigits > rightDigits ? 1 : 0;
}

/** A short decimal's own digits are the shortest that read back as its nearest double. */
function exact(value: number | Decimal): Pick<Decimal, "digits" | "exponent"> {
  if (typeof value === "object") return value;
  const [mantissa, power] = value.toExponential().split("e") as [string, string];
  const [whole, fraction = ""] = mantissa.split(".") as [string, string?];
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
}
