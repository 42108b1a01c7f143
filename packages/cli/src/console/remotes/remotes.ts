import { type ConfigFile, listRemotes, providers } from "@overcoat/drives";
import { describeRemote } from "../../remotes/describe-remote.ts";
import { openLook } from "../../remotes/look.ts";
import type { Place } from "../../remotes/place.ts";
import type { ServedBuckets } from "../../remotes/served-buckets.ts";
import { type Served, SignIns } from "./sign-ins.ts";

export interface ConsoleRemotesOptions {
  /** The rclone.conf that remotes are in. */
  readonly file: ConfigFile;
  readonly buckets: ServedBuckets;
  /** What `remote:` stands for now. @throws UsageError, RunError */
  resolve(text: string): Promise<Place>;
}

/** The remotes as the console shows them, and signing in to more of them. */
export class ConsoleRemotes {
  readonly signIns: SignIns;
  readonly #options: ConsoleRemotesOptions;

  constructor(options: ConsoleRemotesOptions) {
    this.#options = options;
    this.signIns = new SignIns(options.file, (name) => this.#serveSignedIn(name));
  }

  /** @throws ConfigError where the file cannot be read */
  async list() {
    const { file, buckets } = this.#options;
    const remotes = (await listRemotes(file)).map((remote) => ({
      ...describeRemote(remote),
      /** What `overcoat login` calls its provider; undefined where there is none to sign in to. */
      provider: providers.find(({ type }) => type === remote.type)?.command,
      hasClient: Boolean(remote.options.client_id),
      buckets: buckets.of(remote.name).map(({ bucket }) => bucket),
    }));
    const signedInTo = providers.map(({ command, title, needsSecret }) => ({ command, title, needsSecret }));
    return { file: file.path, providers: signedInTo, remotes };
  }

  /** Asks a remote for its folders, as `overcoat remotes test` does. @throws RunError that says what to do */
  async look(name: string): Promise<{ description: string; folders: number }> {
    const look = await openLook(await this.#options.resolve(`${name}:`));
    try {
      return { description: look.description, folders: (await look.folders()).length };
    } finally {
      await look.close();
    }
  }

  /** Serves a remote as a bucket. @throws RunError */
  async serve(name: string): Promise<{ bucket: string }> {
    return { bucket: await this.#options.buckets.add(name) };
  }

  async #serveSignedIn(name: string): Promise<Served> {
    const { buckets } = this.#options;
    try {
      const { bucket } = await this.serve(name);
      if (!(await buckets.isOutdated(name))) return { bucket };
      return { bucket, advice: "It is served with the client and the drive that it had: restart Overcoat." };
    } catch (error) {
      return { advice: `It is not served yet: ${(error as Error).message}` };
    }
  }
}
