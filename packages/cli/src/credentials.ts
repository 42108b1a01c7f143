import { randomInt } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { RunError } from "./errors.ts";

const schema = z.object({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1) });
export type GeneratedKey = z.infer<typeof schema>;

const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

function random(length: number, alphabet: string): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");
}

export function generateKey(): GeneratedKey {
  return {
    accessKeyId: random(20, `${upper}234567`),
    secretAccessKey: random(40, `${upper}${upper.toLowerCase()}0123456789`),
  };
}

/** The key kept in `folder/credentials.json`, made on first use; only its owner can read the file. */
export function keptKey(folder: string): Promise<GeneratedKey> {
  return kept(join(folder, "credentials.json"), schema, generateKey, "remove it to get new keys");
}

const login = z.object({ user: z.string().min(1), password: z.string().min(1) });

/** The superuser of the embedded PostgreSQL, kept in `folder/postgres-login.json` in the same way. */
export function keptSuperuser(folder: string): Promise<z.infer<typeof login>> {
  const make = () => ({ user: "postgres", password: generatePassword() });
  return kept(join(folder, "postgres-login.json"), login, make, "bring back the one that was there");
}

const consoleLogin = z.object({ password: z.string().min(1), secret: z.string().min(32) });
export type ConsoleLogin = z.infer<typeof consoleLogin>;

/** The console's password and what signs its sessions, kept in `folder/console-login.json` in the same way. */
export function keptConsoleLogin(folder: string): Promise<ConsoleLogin> {
  const make = () => ({ password: generatePassword(), secret: generatePassword() + generatePassword() });
  return kept(join(folder, "console-login.json"), consoleLogin, make, "remove it to get a new password");
}

export const generatePassword = () => random(32, `${upper}${upper.toLowerCase()}0123456789`);

async function kept<T>(file: string, schema: z.ZodType<T>, make: () => T, advice: string): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  try {
    const made = make();
    await writeFile(file, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600, flag: "wx" });
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  try {
    return schema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    throw new RunError(`${file} is damaged; ${advice}`, { cause: error });
  }
}
