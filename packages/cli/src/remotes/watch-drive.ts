import cluster from "node:cluster";
import type { Drive, RemoteDrive } from "@overcoat/drives";
import type { Logger } from "../log.ts";

const interval = 5000;

/**
 * Tells in the log how far a drive is known until all of it is, and when following it fails or succeeds again.
 * @returns the drive, whose end ends this too
 */
export function watchDrive(drive: RemoteDrive, name: string, log: Logger): Drive {
  // Processes share what is known.
  const tells = (cluster.worker?.id ?? 1) === 1;
  let done = drive.progress().done;
  let failing = false;
  const look = () => {
    const { items, done: now, error } = drive.progress();
    if (error && !failing)
      log.error(`${name} changes of others are not seen at the moment: ${error.message}`);
    if (!error && failing) log.notice(`${name} changes of others are seen again`);
    failing = error !== undefined;
    if (done || !tells) return;
    done = now;
    const count = items.toLocaleString("en");
    if (done) log.notice(`${name} is known: ${count} items, listings cost no calls from now on`);
    else if (!error) log.notice(`${name} is being read for the first time: ${count} items so far`);
  };
  const timer = setInterval(look, interval).unref();
  const close = drive.close.bind(drive);
  drive.close = async () => {
    clearInterval(timer);
    await close();
  };
  return drive;
}
