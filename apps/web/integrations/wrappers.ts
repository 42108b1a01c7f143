import { z } from "zod";
import { type Argument, type Database, openDatabase, type Run } from "./database.ts";
import { WrapperError } from "./errors.ts";
import { type Statement, statements } from "./statements.ts";
import { isPresignable, presign, type Storage, saveAsParameters } from "./storage.ts";

/**
 * Sessions in Redis, users of Auth0 and files in S3, through the foreign tables `redis_sessions`, `auth0_users` and
 * `s3_files`. The same module runs in Next.js, in Node.js programs such as the bot, and in edge functions.
 */

export type { Database, RpcClient } from "./database.ts";
export { WrapperError, type WrapperErrorKind } from "./errors.ts";
export type { Storage } from "./storage.ts";

const redisSession = z.object({ session_id: z.string(), payload: z.json() });
const auth0User = z.object({
  user_id: z.string(),
  email: z.string().nullable(),
  profile: z.record(z.string(), z.json()),
});
const s3File = z.object({
  filename: z.string(),
  url: z.string(),
  metadata: z.looseObject({
    size: z.number(),
    etag: z.string().optional(),
    last_modified: z.string().optional(),
    storage_class: z.string().optional(),
  }),
});

export type RedisSession = z.infer<typeof redisSession>;
/** `profile` is the whole user as Auth0 has it. */
export type Auth0User = z.infer<typeof auth0User>;
/** `metadata.size` is in bytes. */
export type S3File = z.infer<typeof s3File>;

/** PostgreSQL's text holds no NUL. */
const text = z.string().refine((value) => !value.includes("\0"), "must not contain NUL");
const id = text.min(1).max(1024);
const page = { limit: z.int().min(1).max(1000).default(100), after: text.default("") };
const prefixed = z.object({ prefix: text.max(1024).default(""), ...page });
const searched = z.object({ search: text.max(320).default(""), ...page });
const metadata = z.record(text, z.json());
const objectKey = id.refine(isPresignable, "must have no segment . or ..");
const expiry = z.int().min(1).max(604_800).default(3600);

/** Of the keys that begin with `prefix`, the first `limit` (100 if not given) that come after the key `after`. */
export type Page = z.input<typeof prefixed>;
/** As `Page`; `search` is how the e-mail address begins, in small letters, as Auth0 keeps addresses. */
export type UserSearch = z.input<typeof searched>;

export interface Wrappers {
  /** A session by its id, without the prefix of Redis's keys. */
  getRedisSession(id: string): Promise<RedisSession | undefined>;
  /** In the order of ids. Redis has no order: each page walks through all keys that match. */
  listRedisSessions(page?: Page): Promise<RedisSession[]>;
  /** @returns whether it was there */
  deleteRedisSession(id: string): Promise<boolean>;
  /** By id where it has a bar, as in `auth0|5f7c…`, else by e-mail address; of several the first by id. */
  getAuth0User(idOrEmail: string): Promise<Auth0User | undefined>;
  /** In the order of ids. Auth0 has no such order: each page reads all users that match. */
  searchAuth0Users(search?: UserSearch): Promise<Auth0User[]>;
  /**
   * Merges into `user_metadata` at its first level, where null removes, as Auth0 does.
   * @returns whether the user is there
   */
  updateAuth0UserMetadata(userId: string, patch: Readonly<Record<string, unknown>>): Promise<boolean>;
  /** Keeps a user from logging in, or with `false` lets them again. @returns whether the user is there */
  blockAuth0User(userId: string, blocked?: boolean): Promise<boolean>;
  getS3File(filename: string): Promise<S3File | undefined>;
  /** In the order of file names. */
  listS3Files(page?: Page): Promise<S3File[]>;
  /**
   * A URL that reads a file without a key. No request is sent: it is made for absent files too.
   * @param options.expiresIn seconds, 3600 if not given, up to a week
   * @param options.saveAs has browsers save the file under this name
   */
  presignDownload(filename: string, options?: { expiresIn?: number; saveAs?: string }): Promise<string>;
  /** A URL that PUT writes a file to without a key, for `expiresIn` seconds. */
  presignUpload(filename: string, options?: { expiresIn?: number }): Promise<string>;
  /** Ends the connections that were opened for a URL. */
  close(): Promise<void>;
}

export interface WrapperOptions {
  readonly database: Database;
  /** Only for presigned URLs. */
  readonly storage?: Storage;
}

/**
 * The helpers over a database and storage of one's own; they throw `WrapperError`. The functions below have those
 * that the environment names.
 */
export function createWrappers({ database, storage }: WrapperOptions): Wrappers {
  const { run, close } = openDatabase(database);
  const stored = () => {
    if (storage) return storage;
    throw new WrapperError("not-configured", `presigned URLs need storage: ${storageAdvice}`);
  };
  return {
    close,
    async getRedisSession(sessionId) {
      return one(run, redisSession, statements.getRedisSession, check(id, sessionId));
    },
    async listRedisSessions(given = {}) {
      const { prefix, after, limit } = check(prefixed, given);
      return rows(run, redisSession, statements.listRedisSessions, beginning(prefix), after, limit);
    },
    async deleteRedisSession(sessionId) {
      return didChange(run, statements.deleteRedisSession, check(id, sessionId));
    },
    async getAuth0User(idOrEmail) {
      const key = check(id, idOrEmail);
      if (key.includes("|")) return one(run, auth0User, statements.getAuth0UserById, key);
      // Auth0 compares them exactly, and keeps those of its own databases in lower case.
      return one(run, auth0User, statements.getAuth0UserByEmail, key, key.toLowerCase());
    },
    async searchAuth0Users(given = {}) {
      const { search, after, limit } = check(searched, given);
      // Users without an e-mail address match no pattern.
      if (search === "") return rows(run, auth0User, statements.listAuth0Users, after, limit);
      return rows(run, auth0User, statements.searchAuth0Users, beginning(search.toLowerCase()), after, limit);
    },
    async updateAuth0UserMetadata(userId, patch) {
      return didChange(run, statements.updateAuth0UserMetadata, check(id, userId), check(metadata, patch));
    },
    async blockAuth0User(userId, blocked = true) {
      return didChange(run, statements.blockAuth0User, check(id, userId), check(z.boolean(), blocked));
    },
    async getS3File(filename) {
      return one(run, s3File, statements.getS3File, check(id, filename));
    },
    async listS3Files(given = {}) {
      const { prefix, after, limit } = check(prefixed, given);
      return rows(run, s3File, statements.listS3Files, beginning(prefix), after, limit);
    },
    async presignDownload(filename, { expiresIn, saveAs } = {}) {
      const parameters = saveAs === undefined ? {} : saveAsParameters(check(text, saveAs));
      return presign(stored(), "GET", check(objectKey, filename), check(expiry, expiresIn), parameters);
    },
    async presignUpload(filename, { expiresIn } = {}) {
      return presign(stored(), "PUT", check(objectKey, filename), check(expiry, expiresIn));
    },
  };
}

function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new WrapperError("invalid", z.prettifyError(result.error), { cause: result.error });
}

/** The pattern of LIKE for texts that begin so. */
const beginning = (prefix: string) => `${prefix.replace(/[\\%_]/g, "\\$&")}%`;

async function rows<T>(
  run: Run,
  schema: z.ZodType<T>,
  statement: Statement,
  ...args: Argument[]
): Promise<T[]> {
  const result = z.array(schema).safeParse(await run(statement, args));
  if (result.success) return result.data;
  const told = `${statement.name}: the table does not hold what it should\n${z.prettifyError(result.error)}`;
  throw new WrapperError("failed", told, { cause: result.error });
}

const one = async <T>(...asked: Parameters<typeof rows<T>>) => (await rows(...asked))[0];

const didChange = async (run: Run, statement: Statement, ...args: Argument[]) =>
  (await run(statement, args)).length > 0;

const databaseAdvice =
  "set DATABASE_URL to a PostgreSQL with the foreign tables, or call createWrappers({ database })";
const storageAdvice =
  "set AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and S3_BUCKET, or call createWrappers({ storage })";

/** Made at the first use, since bundlers load modules without an environment. */
let fromEnvironment: Wrappers | undefined;

function wrappers(): Wrappers {
  if (fromEnvironment) return fromEnvironment;
  // Deno has it too; Supabase's edge functions are given the second one.
  const { env } = process;
  const database = env.DATABASE_URL || env.SUPABASE_DB_URL;
  if (!database) throw new WrapperError("not-configured", `no database: ${databaseAdvice}`);
  const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL;
  const { S3_BUCKET: bucket, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION;
  const isComplete = endpoint && bucket && accessKeyId && secretAccessKey;
  fromEnvironment = createWrappers({
    database,
    ...(isComplete && {
      storage: { endpoint, bucket, accessKeyId, secretAccessKey, ...(region && { region }) },
    }),
  });
  return fromEnvironment;
}

/** As `Wrappers` tells, of the database at DATABASE_URL and the bucket S3_BUCKET. */
export const getRedisSession: Wrappers["getRedisSession"] = async (...args) =>
  wrappers().getRedisSession(...args);
export const listRedisSessions: Wrappers["listRedisSessions"] = async (...args) =>
  wrappers().listRedisSessions(...args);
export const deleteRedisSession: Wrappers["deleteRedisSession"] = async (...args) =>
  wrappers().deleteRedisSession(...args);
export const getAuth0User: Wrappers["getAuth0User"] = async (...args) => wrappers().getAuth0User(...args);
export const searchAuth0Users: Wrappers["searchAuth0Users"] = async (...args) =>
  wrappers().searchAuth0Users(...args);
export const updateAuth0UserMetadata: Wrappers["updateAuth0UserMetadata"] = async (...args) =>
  wrappers().updateAuth0UserMetadata(...args);
export const blockAuth0User: Wrappers["blockAuth0User"] = async (...args) =>
  wrappers().blockAuth0User(...args);
export const getS3File: Wrappers["getS3File"] = async (...args) => wrappers().getS3File(...args);
export const listS3Files: Wrappers["listS3Files"] = async (...args) => wrappers().listS3Files(...args);
export const presignDownload: Wrappers["presignDownload"] = async (...args) =>
  wrappers().presignDownload(...args);
export const presignUpload: Wrappers["presignUpload"] = async (...args) => wrappers().presignUpload(...args);
