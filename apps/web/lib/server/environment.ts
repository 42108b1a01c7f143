import { z } from "zod";

/** What `overcoat up` tells the console by its environment. */
const schema = z.object({
  /** `connection.json`. */
  OVERCOAT_CONNECTION_FILE: z.string().min(1),
  /** Where `/-/metrics`, `/-/errors` and the like are, without a slash at the end. */
  OVERCOAT_ADMIN_URL: z.url().optional(),
  /** What requests for remotes bear there. */
  OVERCOAT_ADMIN_TOKEN: z.string().optional(),
  /** `salt:hash` of the password, by scrypt with Node.js's parameters, in base64url. */
  OVERCOAT_CONSOLE_PASSWORD_HASH: z.string().regex(/^[\w-]+:[\w-]+$/),
  /** What session cookies are signed with. */
  OVERCOAT_CONSOLE_SECRET: z.string().min(32),
  /** Where browsers reach the console. */
  OVERCOAT_CONSOLE_URL: z.url(),
});

export interface Environment {
  readonly connectionFile: string;
  readonly adminUrl: string | undefined;
  readonly adminToken: string | undefined;
  readonly passwordHash: string;
  readonly secret: string;
  readonly url: string;
}

/** @throws Error that names what is missing */
export function environment(): Environment {
  const result = schema.safeParse(process.env);
  if (!result.success)
    throw new Error(`start the console by \`overcoat up\`:\n${z.prettifyError(result.error)}`);
  const { data } = result;
  return {
    connectionFile: data.OVERCOAT_CONNECTION_FILE,
    adminUrl: data.OVERCOAT_ADMIN_URL,
    adminToken: data.OVERCOAT_ADMIN_TOKEN,
    passwordHash: data.OVERCOAT_CONSOLE_PASSWORD_HASH,
    secret: data.OVERCOAT_CONSOLE_SECRET,
    url: data.OVERCOAT_CONSOLE_URL,
  };
}
