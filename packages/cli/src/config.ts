import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { RunError, UsageError } from "./errors.ts";

const right = z.enum(["read-only", "read-write"]);
const strings = z.union([z.string(), z.array(z.string())]);
const texts = z.union([z.string(), z.number()]).transform(String);

export const configSchema = z.strictObject({
  /** What is served when the command line names nothing: a folder or `name:path` of a remote, below or rclone's. */
  remote: z.string().min(1).optional(),
  /** Named remotes: a folder's path or `name:path` of another one, an object with it, or a drive with rclone's keys. */
  remotes: z
    .record(
      z.string().regex(/^[\w.+@ -]+$/, "a remote's name is made of letters, digits and _-.+@"),
      z.union([
        z.string().min(1),
        z.strictObject({ type: z.literal("folder").optional(), path: z.string().min(1) }),
        z
          .object({ type: z.enum(["onedrive", "google-drive", "drive", "dropbox"]) })
          .catchall(z.union([z.string(), z.number(), z.boolean()])),
      ]),
    )
    .optional(),
  /** Buckets that live elsewhere than in a top-level folder of the remote: bucket name to `remote:path` or folder. */
  buckets: z.record(z.string().min(3).max(63), z.string().min(1)).optional(),
  /**
   * Keys; without `buckets` a key may do everything, with it only what is listed (`*` for the others) and what
   * a bucket's policy allows. `read-write` is all but changing the policy.
   */
  keys: z
    .array(
      z.strictObject({
        accessKeyId: z.string().min(1),
        secretAccessKey: z.string().min(1),
        buckets: z.record(z.string(), right).optional(),
      }),
    )
    .optional(),
  /** Buckets that anybody may list and get objects of, without a key. */
  anonymousRead: z.array(z.string()).optional(),
  /** Of the SQL server: `overcoat serve sql` and `overcoat up`. */
  sql: z
    .strictObject({
      addr: strings.optional(),
      cert: z.string().optional(),
      key: z.string().optional(),
      /** Who may connect: with a password, or with the SCRAM verifier that PostgreSQL keeps of one. */
      logins: z
        .array(
          z.union([
            z.strictObject({ user: z.string().min(1), password: z.string().min(1) }),
            z.strictObject({ user: z.string().min(1), verifier: z.string().min(1) }),
          ]),
        )
        .optional(),
      /**
       * What `secret 'NAME'` stands for, and the `host[:port]` of the services that it may be shown to; without
       * addresses those of this machine.
       */
      secrets: z
        .record(
          z.string().min(1),
          z.union([
            z.string().min(1),
            z.strictObject({ value: z.string().min(1), addresses: z.array(z.string().min(1)).optional() }),
          ]),
        )
        .optional(),
      /** Addresses that foreign servers may point to: `host[:port]`, `*.domain`, networks such as `10.0.0.0/8`. */
      allow: z.array(z.string().min(1)).optional(),
      /** Bytes that a transaction may write to foreign tables; 256 MiB by default. */
      maxTransactionBytes: z.number().int().min(1).optional(),
    })
    .optional(),
  addr: strings.optional(),
  adminAddr: z.string().optional(),
  region: z.string().optional(),
  v2Auth: z.boolean().optional(),
  domains: z.array(z.string()).optional(),
  data: z.string().optional(),
  workers: z.number().int().min(1).optional(),
  readOnly: z.boolean().optional(),
  fsync: z.boolean().optional(),
  cleanup: z.boolean().optional(),
  versions: z.boolean().optional(),
  pollInterval: texts.optional(),
  cacheDir: z.string().optional(),
  cacheSize: texts.optional(),
  publicUrl: z.string().optional(),
  trustedProxies: z.array(z.string()).optional(),
  allowOrigin: z.string().optional(),
  baseUrl: z.string().optional(),
  responseHeaders: z.record(z.string(), z.string()).optional(),
  cert: z.string().optional(),
  key: z.string().optional(),
  clientCa: z.string().optional(),
  minTlsVersion: z.string().optional(),
  maxHeaderBytes: texts.optional(),
  serverReadTimeout: texts.optional(),
  serverWriteTimeout: texts.optional(),
  umask: z.string().optional(),
  filePerms: z.string().optional(),
  dirPerms: z.string().optional(),
  logFormat: z.enum(["json", "pretty"]).optional(),
  logFile: z.string().optional(),
  logLevel: z.string().optional(),
});

/** What `overcoat.config.ts` may hold. */
export type Config = z.input<typeof configSchema>;
export type ParsedConfig = z.output<typeof configSchema>;

/** Gives `overcoat.config.ts` its types: `export default defineConfig({ … })`. */
export function defineConfig(config: Config): Config {
  return config;
}

/** @throws UsageError that names each wrong field. */
export function checkConfig(value: unknown, file: string): ParsedConfig {
  const result = configSchema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    (issue) => `  ${issue.path.join(".") || "(top)"}: ${issue.message}`,
  );
  throw new UsageError(`${file} is not right:\n${problems.join("\n")}`);
}

const names = ["overcoat.config.ts", "overcoat.config.mts", "overcoat.config.js", "overcoat.config.mjs"];

/** Whether a file that `--config` names is a program; else it is an rclone.conf. */
export const isOvercoatConfig = (file: string) => /\.[cm]?[jt]s$/.test(file);

/** Loads the named file, else the one in the current folder, else nothing; nothing too for `""` and `/dev/null`. */
export async function loadConfig(given: string | undefined): Promise<ParsedConfig> {
  if (given === "" || given === "/dev/null") return {};
  const named = given !== undefined && isOvercoatConfig(given) ? given : undefined;
  const file = named ? resolve(named) : names.map((name) => resolve(name)).find((name) => existsSync(name));
  if (!file) return {};
  if (!existsSync(file)) throw new UsageError(`--config: ${file} does not exist`);
  let loaded: { default?: unknown };
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (error) {
    throw new RunError(`cannot load ${file}: ${(error as Error).message}`, { cause: error });
  }
  if (loaded.default === undefined)
    throw new UsageError(`${file} must \`export default defineConfig({ … })\``);
  return checkConfig(await loaded.default, file);
}
