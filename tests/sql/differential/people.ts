import { Random } from "./random.ts";
import type { ComparedTable, LocalRow } from "./table.ts";

const names = [
  "Ada",
  "ada",
  "Zoë",
  "zoe",
  "",
  " ",
  "a%b",
  "a_b",
  "a\\b",
  "O'Neil",
  '"q"',
  "日本語",
  "😀 smile",
  "\u{fffd}x",
  "élan",
  "ABC",
  "abc",
  "10",
  "9",
  "x,y",
  "two\nlines",
  "tab\there",
];
const cities = ["Rome", "rome", "Oslo", "", "Köln", "São Paulo"];
const documents = [
  "{}",
  "[]",
  "null",
  "1",
  '"a"',
  "true",
  '{"a": 1}',
  '{"a": 2, "b": [1, 2, "x"]}',
  '{"a": "1", "c": null}',
  '{"b": ["a", "b"], "d": {"e": 1.50}}',
  "[1, 2, 3]",
  '{"k": "é😀"}',
  '{"a": 4, "n": 1e3}',
];
/** Of equal numbers that print differently, which one min() gives is not defined: there are none. */
const amounts = ["0", "-0.5", "1.5", "3", "12345678901234567890.123456789", "-7", "99.999", "0.000001"];
/** No -0: postgres_fdw sends it as the integer `(-0)`, which is 0. */
const floats = ["0", "1.5", "-2.25", "1e300", "-1e-300", "Infinity", "-Infinity", "NaN", "0.1", "3"];
const days = ["2024-02-29", "1999-12-31", "2000-01-01", "0001-01-01", "9999-12-31", "2026-11-24"];
const times = [
  "2024-02-29 12:00:00+00",
  "1999-12-31 23:59:59.999999+00",
  "2000-01-01 00:00:00+00",
  "2026-03-29 02:30:00+02",
  "2025-06-01 08:15:30.5-03",
];
const bigs = ["0", "1", "-1", "9223372036854775807", "-9223372036854775808", "42", "10"];

/** A table with a column of every type that is compared: rows as text, NULL where a value is missing. */
export const people: ComparedTable = {
  key: "id",
  unique: "n",
  groups: ["city", "active", "level"],
  columns: [
    { name: "id", type: "text", samples: ["u1", "u2", "u13", "u77", "u150", "U1", "u", "none"] },
    { name: "n", type: "integer", samples: ["0", "1", "13", "77", "150", "-1", "1000"] },
    { name: "name", type: "text", samples: [...names, "nobody"] },
    { name: "city", type: "text", samples: [...cities, "Paris"] },
    { name: "level", type: "integer", samples: ["-2147483648", "0", "1", "2", "3", "2147483647"] },
    { name: "big", type: "bigint", samples: bigs },
    { name: "amount", type: "numeric", samples: amounts },
    { name: "score", type: "double precision", samples: floats },
    { name: "active", type: "boolean", samples: ["true", "false"] },
    { name: "born", type: "date", samples: days },
    { name: "seen", type: "timestamp with time zone", samples: times },
    { name: "data", type: "jsonb", samples: documents },
    {
      name: "token",
      type: "uuid",
      samples: [
        "00000000-0000-0000-0000-000000000000",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "ffffffff-ffff-4fff-bfff-ffffffffffff",
      ],
    },
  ],
};

/** `count` rows, always the same. */
export function makePeople(count: number): LocalRow[] {
  const random = new Random(7);
  return Array.from({ length: count }, (_, n) => {
    const person: Record<string, string> = { id: `u${n}`, n: String(n) };
    for (const { name, samples } of people.columns.slice(2)) {
      const values = name === "level" ? ["0", "1", "1", "2", "3", "2147483647"] : samples;
      const known = name === "name" || name === "city" ? values.slice(0, -1) : values;
      if (random.chance(0.85)) person[name] = random.pick(known);
    }
    return person;
  });
}
