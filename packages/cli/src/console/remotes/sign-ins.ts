import {
  type ConfigFile,
  type FoundDrive,
  findOneDrives,
  type Provider,
  providers,
  type RedirectSignIn,
  type Section,
  signInRequest,
  startRedirectSignIn,
  type Token,
} from "@overcoat/drives";
import { UsageError } from "../../errors.ts";
import { driveKeys, keepSignIn, sectionBefore, withClient } from "../../login/remote-section.ts";

export interface SignInStart {
  /** What `overcoat login` calls the provider. */
  readonly provider: string;
  /** Of the remote. */
  readonly name: string;
  /** Whether the remote may be there already. */
  readonly again: boolean;
  /** Those of the remote where not given. */
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** Where the browser comes back to. */
  readonly redirect: string;
}

/** How a sign-in stands, without a secret. */
export type SignInStanding =
  | { readonly state: "waiting" }
  /** The account has several drives. */
  | { readonly state: "choosing"; readonly drives: readonly Pick<FoundDrive, "id" | "name">[] }
  | ({ readonly state: "done" } & Served)
  | { readonly state: "failed"; readonly message: string };

/** What became of a remote whose sign-in is kept. */
export interface Served {
  /** The bucket that it is served as. */
  readonly bucket?: string;
  /** What is left to do for it to be served, where something is. */
  readonly advice?: string;
}

interface SignIn {
  readonly name: string;
  readonly provider: Provider;
  readonly options: Section;
  readonly redirect: string;
  readonly started: RedirectSignIn;
  readonly ends: number;
  standing: SignInStanding;
  /** Kept where the drive is still to be chosen. */
  token?: Token;
  found?: readonly FoundDrive[];
}

const lifetime = 15 * 60_000;
/** Sign-ins at a time; the oldest is forgotten. */
const most = 20;

/**
 * Sign-ins by browsers that come back to the console. Secrets, tokens and the verifiers of PKCE stay in here, and go
 * into the file of remotes only.
 */
export class SignIns {
  readonly #file: ConfigFile;
  readonly #serve: (name: string) => Promise<Served>;
  readonly #all = new Map<string, SignIn>();

  /** @param serve has a remote served whose sign-in is kept */
  constructor(file: ConfigFile, serve: (name: string) => Promise<Served>) {
    this.#file = file;
    this.#serve = serve;
  }

  /**
   * Begins one.
   * @returns its state, and the provider's address to which the browser is to go
   * @throws UsageError, ConfigError
   */
  async start(given: SignInStart): Promise<{ state: string; address: string }> {
    const { name, again, clientId, clientSecret, redirect } = given;
    const provider = providers.find(({ command }) => command === given.provider);
    if (!provider) throw new UsageError(`there is no sign-in to "${given.provider}"`);
    const before = await sectionBefore(this.#file, name, provider);
    if (before && !again)
      throw new UsageError(`there is a remote ${name}: already: sign in to it again, or give another name`);
    const options = withClient({ ...before, type: provider.type }, clientId, clientSecret);
    if (!options.client_id) throw new UsageError(`${provider.title} needs a client id of your own`);
    if (provider.needsSecret && !options.client_secret)
      throw new UsageError(`${provider.title} needs the secret of the client, too`);
    const started = await startRedirectSignIn(signInRequest(provider, options), redirect);
    this.#forget();
    const [oldest] = this.#all.keys();
    if (this.#all.size >= most) this.#all.delete(oldest!);
    const ends = Date.now() + lifetime;
    const standing: SignInStanding = { state: "waiting" };
    this.#all.set(started.state, { name, provider, options, redirect, started, ends, standing });
    return { state: started.state, address: started.address };
  }

  /** @returns undefined where there is none, or none any more */
  get(state: string): (Pick<SignIn, "name" | "standing"> & { title: string }) | undefined {
    this.#forget();
    const found = this.#all.get(state);
    return found && { name: found.name, title: found.provider.title, standing: found.standing };
  }

  /**
   * Ends one by what the browser brought back, once. What goes wrong is its standing.
   * @param query of the address that the browser came back to
   */
  async finish(state: string, query: string): Promise<void> {
    const signIn = this.#take(state, "waiting");
    await this.#settle(signIn, async () => {
      const answer = new URL(signIn.redirect);
      answer.search = query;
      const token = await signIn.started.finish(answer);
      if (signIn.provider.type !== "onedrive") return this.#keep(signIn, token, {});
      const found = await findOneDrives(signIn.options, token);
      const kept = signIn.options.drive_id && driveKeys(signIn.options.drive_id, found, signIn.options);
      if (kept) return this.#keep(signIn, token, kept);
      const [only, ...others] = found;
      if (others.length === 0) return this.#keep(signIn, token, driveKeys(only!.id, found, {})!);
      Object.assign(signIn, { token, found });
      return { state: "choosing", drives: found.map(({ id, name }) => ({ id, name })) };
    });
  }

  /** Takes one of the drives that there are to choose from. @throws UsageError where it is none of them */
  async choose(state: string, driveId: string): Promise<void> {
    const signIn = this.#take(state, "choosing");
    const { token, found } = signIn;
    const keys = found!.some(({ id }) => id === driveId) && driveKeys(driveId, found!, {});
    if (!keys) throw new UsageError("there is no such drive to choose");
    await this.#settle(signIn, () => this.#keep(signIn, token!, keys));
  }

  #take(state: string, expected: SignInStanding["state"]): SignIn {
    this.#forget();
    const signIn = this.#all.get(state);
    if (signIn?.standing.state !== expected)
      throw new UsageError("this sign-in has ended, or took longer than 15 minutes: begin it anew");
    return signIn;
  }

  async #settle(signIn: SignIn, work: () => Promise<SignInStanding>): Promise<void> {
    // No second answer is taken meanwhile.
    signIn.standing = { state: "failed", message: "It has not ended yet: load this page again." };
    signIn.standing = await work().catch(
      (error: Error) => ({ state: "failed", message: error.message }) as const,
    );
    if (signIn.standing.state !== "choosing") Object.assign(signIn, { token: undefined, found: undefined });
  }

  async #keep({ name, provider, options }: SignIn, token: Token, drive: Section): Promise<SignInStanding> {
    await keepSignIn(this.#file, name, provider, { ...options, ...drive }, token);
    return { state: "done", ...(await this.#serve(name)) };
  }

  #forget(): void {
    for (const [state, { ends }] of this.#all) if (ends < Date.now()) this.#all.delete(state);
  }
}
