import type { Key } from "./domain.ts";

/**
 * Dates and times in ISO 8601 and as PostgreSQL prints them with datestyle ISO: days, or microseconds, since 1970.
 * Anything else, and what lies beyond the range of the type, is left to PostgreSQL (`undefined`).
 */
const syntax =
  /^(\d{4,7})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d(?::?\d\d(?::\d\d)?)?)?)?( BC)?$/;

const microsecondsOfDay = 86_400_000_000;

export function readDate(text: string): number | undefined {
  const infinite = infinity(text);
  if (infinite !== undefined) return infinite;
  const match = syntax.exec(text);
  return match && match[4] === undefined ? day(match, lastYears.date) : undefined;
}

/** `zoned` for timestamptz, which is in GMT where no zone is given; timestamp ignores a zone. */
export function readTimestamp(text: string, zoned: boolean): number | bigint | undefined {
  const infinite = infinity(text);
  if (infinite !== undefined) return infinite;
  const match = syntax.exec(text);
  if (!match) return undefined;
  const days = day(match, lastYears.timestamp);
  const [, , , , hour = "0", minute = "0", second = "0", fraction = "", zone] = match;
  if (days === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  let micro =
    ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1_000_000 +
    Number(fraction.padEnd(6, "0"));
  if (zone !== undefined && zone !== "Z") {
    const offset = zoneOffset(zone);
    if (offset === undefined) return undefined;
    if (zoned) micro -= offset * 1_000_000;
  }
  const sum = days * microsecondsOfDay + micro;
  if (Number.isSafeInteger(sum) && Number.isSafeInteger(days * microsecondsOfDay)) return sum;
  return BigInt(days) * BigInt(microsecondsOfDay) + BigInt(micro);
}

export function writeDate(key: Key): string {
  if (!Number.isFinite(key)) return key === Number.POSITIVE_INFINITY ? "infinity" : "-infinity";
  const [text, era] = dayText(Number(key));
  return text + era;
}

export function writeTimestamp(key: Key, zoned: boolean): string {
  if (key === Number.POSITIVE_INFINITY) return "infinity";
  if (key === Number.NEGATIVE_INFINITY) return "-infinity";
  const total = BigInt(key as number | bigint);
  const length = BigInt(microsecondsOfDay);
  const rest = ((total % length) + length) % length;
  const [text, era] = dayText(Number((total - rest) / length));
  const seconds = Number(rest / 1_000_000n);
  const fraction = Number(rest % 1_000_000n);
  const two = (number: number) => String(Math.floor(number)).padStart(2, "0");
  const clock = `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
  const decimals = fraction === 0 ? "" : `.${String(fraction).padStart(6, "0").replace(/0+$/, "")}`;
  return `${text} ${clock}${decimals}${zoned ? "+00" : ""}${era}`;
}

function infinity(text: string): number | undefined {
  if (text === "infinity") return Number.POSITIVE_INFINITY;
  return text === "-infinity" ? Number.NEGATIVE_INFINITY : undefined;
}

const lastYears = { date: 5874897, timestamp: 294276 };

/** Days since 1970 in the Gregorian calendar, which PostgreSQL extends to before its time; year 1 follows 1 BC. */
function day(match: RegExpExecArray, lastYear: number): number | undefined {
  const counted = Number(match[1]);
  const month = Number(match[2]);
  const dayOfMonth = Number(match[3]);
  const year = match[9] ? 1 - counted : counted;
  if (counted === 0 || year > lastYear || month < 1 || month > 12) return undefined;
  // Julian day 0, where PostgreSQL's calendar begins
  if (year < -4713 || (year === -4713 && (month < 11 || (month === 11 && dayOfMonth < 24)))) return undefined;
  const days = daysBefore(year, month);
  return dayOfMonth >= 1 && dayOfMonth <= daysBefore(year, month + 1) - days
    ? days + dayOfMonth - 1
    : undefined;
}

/** Days from 1970-01-01 to the first of a month, of which the 13th is the next January. */
function daysBefore(year: number, month: number): number {
  // Counted from March, so that a leap day is a year's last.
  const march = month > 2 ? year : year - 1;
  const era = Math.floor(march / 400);
  const yearOfEra = march - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5);
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function dayText(days: number): [text: string, era: string] {
  // The calendar repeats itself after 400 years, which JavaScript's dates cover.
  const eras = Math.floor(days / 146_097);
  const date = new Date((days - eras * 146_097) * 86_400_000);
  const year = date.getUTCFullYear() + eras * 400;
  const text = `${String(year < 1 ? 1 - year : year).padStart(4, "0")}${date.toISOString().slice(-20, -14)}`;
  return [text, year < 1 ? " BC" : ""];
}

/** Seconds east of Greenwich. */
function zoneOffset(zone: string): number | undefined {
  const [hours, minutes = 0, seconds = 0] = (zone.slice(1).replaceAll(":", "").match(/\d\d/g) ?? []).map(
    Number,
  );
  if (hours === undefined || hours > 15 || minutes > 59 || seconds > 59) return undefined;
  const offset = (hours * 60 + minutes) * 60 + seconds;
  return zone.startsWith("-") ? -offset : offset;
}
