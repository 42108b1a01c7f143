import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The program that users run. */
export const command = fileURLToPath(new URL("../packages/cli/bin/overcoat.js", import.meta.url));

/** The environment without settings of the user's that the command would take up. */
export const plainEnvironment: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(RC_S3_|RCLONE_|AWS_|OVERCOAT_)/.test(name)),
);

export interface Running {
  readonly child: ChildProcess;
  /** What it printed so far. */
  output(): string;
  /** Resolves when it has printed this. @throws when it ends before */
  printed(text: string): Promise<void>;
  readonly exit: Promise<number | null>;
}

/** Starts a program in a process group of its own, as a shell with a terminal would. */
export function startProgram(
  program: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Running {
  const child = spawn(program, args, { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => {
      output += chunk;
      for (const look of waiting) look();
    });
  const exit = once(child, "close").then(([code]) => code as number | null);
  return {
    child,
    output: () => output,
    exit,
    printed: (text) =>
      new Promise((done, failed) => {
        const look = () => output.includes(text) && done();
        waiting.add(look);
        look();
        exit.then(() => failed(new Error(`it ended without printing "${text}":\n${output}`)));
      }),
  };
}

/** Ends what is left of these programs and forgets them. */
export function stopAll(children: ChildProcess[]): void {
  for (const child of children.splice(0))
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, "SIGKILL");
}
