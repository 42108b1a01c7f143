import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { Storage } from "@/integrations/wrappers";

/** What the environment lacks, and what to do about it. */
export class SettingsError extends Error {}

export interface Settings {
  readonly token: string;
  readonly allowedUsers: readonly number[];
  readonly apiRoot: string | undefined;
  /** URL of the PostgreSQL that has the foreign tables. */
  readonly database: string;
  readonly storage: Storage;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What `overcoat up` writes while it runs. */
const connections = z.object({
  s3: z.object({
    endpoint: z.string(),
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    region: z.string(),
  }),
  postgres: z.object({ url: z.string() }),
});

/**
 * Settings of the bot. Where the environment names no database, or no S3 service, they are those of the `npm start`
 * that runs on `OVERCOAT_DATA`.
 * @throws SettingsError
 */
export async function readSettings(env: Environment): Promise<Settings> {
  const token = env.TELEGRAM_BOT_TOKEN?.trim() ?? "";
  if (!/^\d+:[\w-]+$/.test(token))
    throw new SettingsError(
      "TELEGRAM_BOT_TOKEN must be the token that @BotFather gives, as in 123456:ABC-DEF",
    );
  const allowedUsers = readUsers(env.TELEGRAM_ALLOWED_USERS);
  const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL;
  const running =
    env.DATABASE_URL && endpoint ? undefined : await readConnections(env.OVERCOAT_DATA || "overcoat-data");
  return {
    token,
    allowedUsers,
    apiRoot: env.TELEGRAM_API_ROOT || undefined,
    database: env.DATABASE_URL || running!.postgres.url,
    storage: endpoint
      ? {
          endpoint,
          bucket: needed(env, "S3_BUCKET"),
          accessKeyId: needed(env, "AWS_ACCESS_KEY_ID"),
          secretAccessKey: needed(env, "AWS_SECRET_ACCESS_KEY"),
          region: env.AWS_REGION || env.AWS_DEFAULT_REGION || "us-east-1",
        }
      : { ...running!.s3, bucket: env.S3_BUCKET || "sample" },
  };
}

function readUsers(text: string | undefined): number[] {
  const parts = (text ?? "").split(",").map((part) => part.trim());
  if (!parts.every((part) => /^[1-9]\d{0,15}$/.test(part)))
    throw new SettingsError(
      "TELEGRAM_ALLOWED_USERS must be the ids of the users that the bot answers, by commas; @userinfobot tells one's own",
    );
  return parts.map(Number);
}

function needed(env: Environment, name: string): string {
  const value = env[name];
  if (!value) throw new SettingsError(`${name} must be set where AWS_ENDPOINT_URL is`);
  return value;
}

async function readConnections(folder: string) {
  const file = join(resolve(folder), "connection.json");
  const content = await readFile(file, "utf8").catch(() => {
    throw new SettingsError(
      `there is no ${file}: start Overcoat by \`npm start\`, or set DATABASE_URL, AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and S3_BUCKET`,
    );
  });
  return connections.parse(JSON.parse(content));
}
