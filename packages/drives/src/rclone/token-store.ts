import { formatToken, parseToken, type Token } from "../oauth/token.ts";
import type { TokenStore } from "../oauth/token-store.ts";
import type { ConfigFile } from "./config-file.ts";

/** The token of a remote in rclone.conf, which rclone itself may use and renew at the same time. */
export class ConfigTokenStore implements TokenStore {
  readonly #file: ConfigFile;
  readonly #name: string;

  constructor(file: ConfigFile, name: string) {
    this.#file = file;
    this.#name = name;
  }

  get description(): string {
    return this.#file.path;
  }

  async read(): Promise<Token | undefined> {
    return parseToken((await this.#file.sections()).get(this.#name)?.token);
  }

  async update(renew: () => Promise<Token | undefined>): Promise<void> {
    await this.#file.updateValue(this.#name, "token", async () => {
      const token = await renew();
      return token && formatToken(token);
    });
  }
}
