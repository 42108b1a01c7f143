import { loadConfig } from "../config.ts";
import { type Flags, resolveSettings, type Settings } from "../flags/resolve.ts";
import { createLog } from "../log.ts";
import { serve } from "../workers.ts";

/** `overcoat serve s3 REMOTE`: returns when it was stopped and all is drained. */
export async function serveS3(
  remote: string | undefined,
  flags: Flags,
  notes: readonly string[],
): Promise<void> {
  const settings = resolveSettings(remote, flags, process.env, await loadConfig(flags.config));
  const log = createLog(settings);
  for (const note of notes) log.announce(note);
  if (settings.credentials.length === 0) {
    log.announce("No key is set: everybody on this machine may read and write (set --auth-key ID,SECRET)");
  }
  await serve(settings, (urls) => log.announce(readyLine(settings, urls)));
}

export function readyLine(settings: Settings, urls: readonly string[]): string {
  const workers = settings.workers === 1 ? "1 worker" : `${settings.workers} workers`;
  return `Serving ${settings.root} as S3 on ${[...new Set(urls)].join(", ")} (${workers})`;
}
