import { loadConfig } from "../config.ts";
import { UsageError } from "../errors.ts";
import { rcloneAccess, signed, type TakenFlags } from "../flags/rclone.ts";
import { type Flags, resolveSettings, type Settings } from "../flags/resolve.ts";
import { createLog } from "../log.ts";
import { describePlace } from "../remotes/place.ts";
import { loadRemotes } from "../remotes/rclone-remotes.ts";
import { serve } from "../workers.ts";

/** `overcoat serve s3 REMOTE`: returns when it was stopped and all is drained. */
export async function serveS3(
  remote: string | undefined,
  flags: Flags,
  { taken, notes }: Pick<TakenFlags, "taken" | "notes">,
): Promise<void> {
  const { env } = process;
  const config = await loadConfig(flags.config);
  const settings = resolveSettings(remote, flags, env, config, await loadRemotes(flags.config, env));
  const open = settings.credentials.length === 0;
  const access = [...rcloneAccess].find((name) => taken.has(name));
  if (open && access) {
    throw new UsageError(
      `--${access} keeps nobody out here: ${signed}. Give a key, or leave --${access} out to serve everybody on this machine`,
    );
  }
  const log = createLog(settings);
  for (const note of notes) log.announce(note);
  if (open) {
    log.announce("No key is set: everybody on this machine may read and write (set --auth-key ID,SECRET)");
  }
  // rclone drops its folder cache at this signal; the end of a terminal is no reason to stop either.
  process.on("SIGHUP", () => log.notice("SIGHUP: nothing is kept that would have to be cleared"));
  await serve(settings, (urls) => log.announce(readyLine(settings, urls)));
}

export function readyLine(settings: Settings, urls: readonly string[]): string {
  const workers = settings.workers === 1 ? "1 worker" : `${settings.workers} workers`;
  return `Serving ${describePlace(settings.place)} as S3 on ${[...new Set(urls)].join(", ")} (${workers})`;
}
