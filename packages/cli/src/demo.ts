import { rm } from "node:fs/promises";
import { join } from "node:path";
import { RunError } from "./errors.ts";
import { driveStandIns, writeRemote } from "./stand-ins.ts";

/** Stand-ins of all services on this machine, with sample data. They forget everything when they end. */
export interface Demo extends AsyncDisposable {
  /** An rclone.conf with a remote for each drive. */
  readonly file: string;
  /** Names of these remotes. */
  readonly drives: readonly string[];
  readonly auth0Url: string;
}

const files: Readonly<Record<string, string>> = {
  "datasets/train.csv": "id,label\n1,cat\n2,dog\n3,horse\n",
  "notes/hello.txt": "Hello from a drive: this file is an S3 object.\n",
};
const users = ["ada", "grace", "edsger"].map((name) => ({ email: `${name}@example.com`, name }));

/** What a client of the stand-in of Auth0 has. */
export const auth0Client = { clientId: "stand-in", clientSecret: "stand-in" };

/**
 * Starts them on free ports.
 * @param folder what they need is kept here, of this run alone
 */
export async function startDemo(folder: string): Promise<Demo> {
  // What is known of the drives of the last run is no more true.
  await rm(folder, { recursive: true, force: true });
  const file = join(folder, "rclone.conf");
  const parts = new AsyncDisposableStack();
  try {
    for (const [name, { start }] of Object.entries(driveStandIns))
      await writeRemote(file, name, parts.use(await start({ files })));
    const { startAuth0 } = await import("@overcoat/simulators");
    const auth0 = parts.use(await startAuth0({ ...auth0Client, users }));
    return {
      file,
      drives: Object.keys(driveStandIns),
      auth0Url: auth0.url,
      [Symbol.asyncDispose]: () => parts.disposeAsync(),
    };
  } catch (error) {
    await parts.disposeAsync();
    throw new RunError(`the stand-ins cannot start: ${(error as Error).message}`, { cause: error });
  }
}

/** What to do with them. */
export const demoWelcome = ({ drives, auth0Url, file }: Demo) => `
  Simulated drives   as the buckets ${drives.join(", ")}
  Their remotes      ${file}
  Simulated Auth0    ${auth0Url}

CREATE EXTENSION IF NOT EXISTS auth0_wrapper;
CREATE SERVER auth0_server FOREIGN DATA WRAPPER auth0_fdw OPTIONS (domain '${auth0Url}');
CREATE USER MAPPING FOR PUBLIC SERVER auth0_server
  OPTIONS (client_id '${auth0Client.clientId}', client_secret '${auth0Client.clientSecret}');
CREATE FOREIGN TABLE auth0_users (user_id TEXT, email TEXT, profile JSONB) SERVER auth0_server;
SELECT email FROM auth0_users;
`;
