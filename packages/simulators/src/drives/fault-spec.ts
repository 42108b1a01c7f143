import type { Fault } from "./faults.ts";

const numbers: Readonly<Record<string, string>> = {
  after: "after",
  times: "times",
  delay: "delay",
  status: "status",
  "reset-request": "resetRequestAt",
  "reset-response": "resetResponseAt",
  truncate: "truncateAt",
};

/**
 * A fault as one line: the end point, a colon and what is to happen, such as `PUT upload: status=429,
 * retry-after=2, times=3` or `GET download: truncate=1000`. `lose-answer` stands alone; `*` is every end point.
 * @throws Error that says what can be written
 */
export function parseFaultSpec(text: string): Fault {
  const [, endpoint, rest] = /^([^:]+):(.+)$/.exec(text) ?? [];
  const fault: Record<string, unknown> = {};
  for (const each of rest?.split(",") ?? []) {
    const [name = "", value = ""] = each.split("=").map((word) => word.trim());
    const number = numbers[name];
    if (number !== undefined && /^\d+$/.test(value)) fault[number] = Number(value);
    else if (name === "lose-answer" && value === "") fault.loseAnswer = true;
    else if (name === "retry-after" && /^\d+(\.\d+)?$/.test(value)) fault.headers = { "retry-after": value };
    else {
      const known = [
        ...Object.keys(numbers).map((known) => `${known}=N`),
        "retry-after=SECONDS",
        "lose-answer",
      ];
      throw new Error(`"${each.trim()}" is no part of a fault; these are: ${known.join(", ")}`);
    }
  }
  if (!endpoint || Object.keys(fault).length === 0)
    throw new Error(`"${text}" is no fault (example: "PUT upload: status=503, times=2")`);
  return { ...fault, ...(endpoint.trim() !== "*" && { on: endpoint.trim() }) };
}
