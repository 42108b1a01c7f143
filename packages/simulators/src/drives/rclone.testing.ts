import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { startTlsProxy } from "./tls-proxy.ts";

const run = promisify(execFile);
const command = process.env.OVERCOAT_TEST_RCLONE ?? "rclone";

export interface RcloneStageOptions {
  /** Where the names are that rclone knows the service by: URLs of the stand-in. */
  readonly hosts: Readonly<Record<string, string>>;
  /** A section of rclone.conf that leads to the stand-in. */
  readonly section: string;
  readonly flags: readonly string[];
  /** Names that the service has its own ways with. */
  readonly names: { readonly plain: string; readonly odd: string };
  /** Bytes of the large file. */
  readonly large: number;
}

/** rclone, and files for it to copy to a stand-in. */
export interface RcloneStage extends AsyncDisposable {
  /** The folder of the files: `a.txt`, `empty`, `large.bin` and in `deep/er` those of the names given. */
  readonly source: string;
  /** @returns what it printed. @throws Error when it fails, or takes more than a minute */
  rclone(...args: string[]): Promise<string>;
  /** All that is below a remote, sorted. */
  listed(remote: string): Promise<string[]>;
  /** Copies the files there and back, and lets rclone compare them each time. */
  copyThereAndBack(remote: string): Promise<void>;
  /** The rclone.conf as it is now. */
  config(): Promise<string>;
  /** Lets the token be of long ago, for all that rclone knows. */
  expireToken(): Promise<void>;
}

/** The version's second number: 76 of 1.76.0. */
export async function rcloneMinor(): Promise<number> {
  const { stdout } = await run(command, ["version"]);
  return Number(/v1\.(\d+)/.exec(stdout)?.[1]);
}

export async function openRcloneStage(options: RcloneStageOptions): Promise<RcloneStage> {
  const { hosts, section, flags, names, large } = options;
  await using parts = new AsyncDisposableStack();
  const proxy = await startTlsProxy(hosts);
  parts.defer(() => proxy.close());
  const folder = await mkdtemp(join(tmpdir(), "overcoat-rclone-"));
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  const source = join(folder, "source");
  const files = {
    "a.txt": "a",
    [`deep/er/${names.plain}`]: "b",
    [`deep/er/${names.odd}`]: "c",
    empty: "",
    "large.bin": randomBytes(large),
  };
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(source, name)), { recursive: true });
    await writeFile(join(source, name), content);
  }
  await utimes(join(source, "a.txt"), 1_500_000_000, 1_500_000_000);
  const file = join(folder, "rclone.conf");
  const config = () => readFile(file, "utf8");
  // All versions know the service by its names, and few by addresses.
  await writeFile(file, section.replace(/^(\w+_url|tenant_\w+) = .*\n/gm, ""));
  // Some of its calls do not know --ca-cert.
  const variables = { SSL_CERT_FILE: proxy.ca, HTTPS_PROXY: proxy.url };
  const env = { ...process.env, ...variables, HTTP_PROXY: undefined, NO_PROXY: undefined };
  const rclone = async (...args: string[]) => {
    const all = ["--config", file, "--retries", "1", ...flags, ...args];
    return (await run(command, all, { env, timeout: 60_000 })).stdout;
  };
  const opened = parts.move();
  return {
    source,
    rclone,
    config,
    async listed(remote) {
      return (await rclone("lsf", "-R", remote)).split("\n").filter(Boolean).sort();
    },
    async copyThereAndBack(remote) {
      await rclone("copy", source, remote);
      await rclone("check", source, remote);
      await rclone("check", "--download", source, remote);
      expect(await rclone("lsf", "--format", "tp", "--include", "a.txt", remote)).toMatch(/^2017-07-1/);
      const back = join(folder, "back");
      await rclone("copy", remote, back);
      await rclone("check", source, back);
      for (const name of ["large.bin", `deep/er/${names.odd}`])
        expect(await readFile(join(back, name))).toEqual(await readFile(join(source, name)));
    },
    async expireToken() {
      await writeFile(file, (await config()).replace(/"expiry":"[^"]*"/, '"expiry":"2020-01-01T00:00:00Z"'));
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
