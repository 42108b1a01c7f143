import { isRcloneConfig, loadConfig } from "../config.ts";
import { UsageError } from "../errors.ts";
import { rcloneAccess, signed, type TakenFlags } from "../flags/rclone.ts";
import { type Flags, resolveSettings, type Settings } from "../flags/resolve.ts";
import { createLog } from "../log.ts";
import { serve } from "../workers.ts";

/** `overcoat serve s3 REMOTE`: returns when it was stopped and all is drained. */
export async function serveS3(
  remote: string | undefined,
  flags: Flags,
  { taken, notes }: Pick<TakenFlags, "taken" | "notes">,
): Promise<void> {
  const settings = resolveSettings(remote, flags, process.env, await loadConfig(flags.config));
  const open = settings.credentials.length === 0;
  const access = [...rcloneAccess].find((name) => taken.has(name));
  if (open && access) {
    throw new UsageError(
      `--${access} keeps nobody out here: ${signed}. Give a key, or leave --${access} out to serve everybody on this machine`,
    );
  }
  const log = createLog(settings);
  for (const note of notes) log.announce(note);
  if (flags.config !== undefined && isRcloneConfig(flags.config)) {
    log.announce(
      `--config ${flags.config} is accepted and ignored: no rclone configuration is read; see overcoat.config.ts`,
    );
  }
  if (open) {
    log.announce("No key is set: everybody on this machine may read and write (set --auth-key ID,SECRET)");
  }
  // rclone drops its folder cache at this signal; the end of a terminal is no reason to stop either.
  process.on("SIGHUP", () => log.notice("SIGHUP: a folder is always read as it is now"));
  await serve(settings, (urls) => log.announce(readyLine(settings, urls)));
}

export function readyLine(settings: Settings, urls: readonly string[]): string {
  const workers = settings.workers === 1 ? "1 worker" : `${settings.workers} workers`;
  return `Serving ${settings.root} as S3 on ${[...new Set(urls)].join(", ")} (${workers})`;
}
