import { z } from "zod";
import { environment } from "./environment.ts";

const list = z.object({
  /** The rclone.conf that they are in. */
  file: z.string(),
  providers: z.array(z.object({ command: z.string(), title: z.string(), needsSecret: z.boolean() })),
  remotes: z.array(
    z.object({
      name: z.string(),
      description: z.string(),
      /** Undefined where there is nothing to sign in to. */
      signedIn: z.boolean().optional(),
      provider: z.string().optional(),
      hasClient: z.boolean(),
      /** That it is served as. */
      buckets: z.array(z.string()),
    }),
  ),
});

export type RemoteList = z.infer<typeof list>;
export type Provider = RemoteList["providers"][number];
export type Remote = RemoteList["remotes"][number];

const signIn = z.object({
  name: z.string(),
  title: z.string(),
  standing: z.discriminatedUnion("state", [
    z.object({ state: z.literal("waiting") }),
    z.object({
      state: z.literal("choosing"),
      drives: z.array(z.object({ id: z.string(), name: z.string() })),
    }),
    z.object({ state: z.literal("done"), bucket: z.string().optional(), advice: z.string().optional() }),
    z.object({ state: z.literal("failed"), message: z.string() }),
  ]),
});

export type SignIn = z.infer<typeof signIn>;

export interface SignInStart {
  readonly provider: string;
  readonly name: string;
  /** Whether the remote is there already. */
  readonly again: boolean;
  /** Those that the remote has where not given. */
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly redirect: string;
}

/** What `overcoat up` says for people. */
const refusal = z.object({ error: z.string() });
const failed = "Overcoat does not answer as it should: is it of the same version as the console?";

/** Asks `overcoat up`, which alone handles secrets of remotes. @throws Error with what went wrong, for people */
async function ask<T>(schema: z.ZodType<T>, method: "GET" | "POST", path: string, body?: object): Promise<T> {
  const { adminUrl, adminToken } = environment();
  if (!adminUrl || !adminToken) throw new Error("This console was not started by `overcoat up`.");
  const response = await fetch(`${adminUrl}/-/${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
    cache: "no-store",
    signal: AbortSignal.timeout(90_000),
  });
  const json: unknown = await response.json().catch(() => undefined);
  if (response.ok) return schema.parse(json);
  const told = refusal.safeParse(json);
  throw new Error(told.success ? told.data.error : failed);
}

export const listRemotes = () => ask(list, "GET", "remotes");

/** Asks the drive for its folders. */
export const lookAtRemote = (name: string) =>
  ask(
    z.object({ description: z.string(), folders: z.number() }),
    "GET",
    `remotes/${encodeURIComponent(name)}`,
  );

export const serveRemote = (name: string) =>
  ask(z.object({ bucket: z.string() }), "POST", `remotes/${encodeURIComponent(name)}/serve`);

/** @returns what tells this sign-in from others, and the provider's address to go to */
export const startSignIn = (start: SignInStart) =>
  ask(z.object({ state: z.string(), address: z.url({ protocol: /^https?$/ }) }), "POST", "sign-ins", start);

export const signInOf = (state: string) => ask(signIn, "GET", `sign-ins/${encodeURIComponent(state)}`);

/** @param query of the address that the browser came back to */
export const finishSignIn = (state: string, query: string) =>
  ask(signIn, "POST", `sign-ins/${encodeURIComponent(state)}/answer`, { query });

export const chooseDrive = (state: string, drive: string) =>
  ask(signIn, "POST", `sign-ins/${encodeURIComponent(state)}/drive`, { drive });
