import { randomInt } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { RunError } from "./errors.ts";

const schema = z.object({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1) });
export type GeneratedKey = z.infer<typeof schema>;

function random(length: number, alphabet: string): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");
}

export function generateKey(): GeneratedKey {
  const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return {
    accessKeyId: random(20, `${upper}234567`),
    secretAccessKey: random(40, `${upper}${upper.toLowerCase()}0123456789`),
  };
}

/** The key kept in `folder/credentials.json`, made on first use; only its owner can read the file. */
export async function keptKey(folder: string): Promise<GeneratedKey> {
  const file = join(folder, "credentials.json");
  await mkdir(folder, { recursive: true });
  try {
    const key = generateKey();
    await writeFile(file, `${JSON.stringify(key, null, 2)}\n`, { mode: 0o600, flag: "wx" });
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  try {
    return schema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    throw new RunError(`${file} is damaged; remove it to get new keys`, { cause: error });
  }
}
