import { lstat, rm } from "node:fs/promises";
import { connect } from "node:net";

/** Removes the file of a Unix socket on which nobody listens any more, as a crash leaves it. */
export async function removeDeadSocket(path: string): Promise<void> {
  // Connecting to any other file is refused just the same.
  if (!(await lstat(path).catch(() => undefined))?.isSocket()) return;
  const dead = await new Promise<boolean>((done) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      done(false);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => done(error.code === "ECONNREFUSED"));
  });
  if (dead) await rm(path, { force: true });
}
