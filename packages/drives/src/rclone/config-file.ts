import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { withLockedFile } from "../locked-file.ts";
import {
  checkReadable,
  parseConfig,
  removeSection,
  type Section,
  setSection,
  setValue,
} from "./config-text.ts";
import { ConfigError } from "./errors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where rclone would look: `RCLONE_CONFIG`, then the first of its places that there is, else the one that
 * `rclone config` makes.
 */
export function defaultConfigFile(env: Environment = process.env): string {
  if (env.RCLONE_CONFIG) return resolve(env.RCLONE_CONFIG);
  const home = env.HOME || homedir();
  const places = [
    ...(process.platform === "win32" && env.APPDATA ? [join(env.APPDATA, "rclone", "rclone.conf")] : []),
    ...(env.XDG_CONFIG_HOME ? [join(env.XDG_CONFIG_HOME, "rclone", "rclone.conf")] : []),
    join(home, ".config", "rclone", "rclone.conf"),
    join(home, ".rclone.conf"),
  ];
  return places.find((place) => existsSync(place)) ?? places[0]!;
}

/** An rclone.conf: read as it is, and changed so that rclone and other processes can use it at the same time. */
export class ConfigFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** None where there is no such file. @throws ConfigError when it cannot be read or is encrypted */
  async sections(): Promise<ReadonlyMap<string, Section>> {
    try {
      return parseConfig(await readFile(this.path, "utf8"), this.path);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (error instanceof ConfigError) throw error;
      if (code === "ENOENT") return new Map();
      throw new ConfigError(`${this.path} cannot be read: ${message}`, { cause: error });
    }
  }

  /** Puts a section in the place of one of that name, else at the end. The file becomes its owner's alone. */
  async setSection(name: string, section: Section): Promise<void> {
    await this.#change((text) => setSection(text, name, section));
  }

  /** @returns false when there was none */
  async removeSection(name: string): Promise<boolean> {
    let found = (await this.sections()).has(name);
    if (!found) return false;
    await this.#change((text) => {
      found = parseConfig(text, this.path).has(name);
      return found ? removeSection(text, name) : text;
    });
    return found;
  }

  /**
   * Runs `work` while no other process of ours changes the file. What it gives becomes the value of the key, kept
   * before this settles; nothing changes where it gives undefined.
   */
  async updateValue(name: string, key: string, work: () => Promise<string | undefined>): Promise<void> {
    await withLockedFile(this.path, async (file) => {
      const value = await work();
      // Read only now: rclone, which knows no lock, may have changed other parts meanwhile.
      if (value !== undefined) await file.replace(setValue(await file.read(), name, key, value));
    });
  }

  async #change(work: (text: string) => string): Promise<void> {
    await withLockedFile(this.path, async (file) => {
      const before = checkReadable(await file.read(), this.path);
      const after = work(before);
      if (after !== before) await file.replace(after, 0o600);
    });
  }
}
