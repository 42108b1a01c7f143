import { createInterface } from "node:readline/promises";
import { isCancel, password, select, text } from "@clack/prompts";
import { UsageError } from "../errors.ts";

/** Tells the user, as the answer of the command. */
export const say = (text: string) => process.stdout.write(`${text}\n`);

/** Whether there is somebody to ask. */
export const isInteractive = () => process.stdin.isTTY === true && process.stdout.isTTY === true;

/** Asks for a line, on a terminal with prompts, else of the standard input. */
export async function askText(message: string): Promise<string> {
  if (isInteractive()) return answer(await text({ message, validate: needed }));
  process.stdout.write(`${message}\n`);
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) if (line.trim() !== "") return line.trim();
  } finally {
    lines.close();
  }
  throw new UsageError(`${message}: nothing was given on the standard input`);
}

/** Asks for what is not to be seen; an empty answer is one. */
export async function askSecret(message: string): Promise<string> {
  return answer(await password({ message })) ?? "";
}

export async function askChoice<T>(message: string, choices: { value: T; label: string }[]): Promise<T> {
  const options = choices.map(({ label }, index) => ({ value: index, label }));
  return choices[answer(await select({ message, options }))]!.value;
}

const needed = (value: string | undefined) => (value?.trim() ? undefined : "This is needed.");

function answer<T>(given: T): Exclude<T, symbol> {
  if (isCancel(given)) throw new UsageError("cancelled");
  return given as Exclude<T, symbol>;
}
