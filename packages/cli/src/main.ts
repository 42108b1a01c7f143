import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addSimulateCommand } from "./commands/simulate.ts";
import type { UpFlags } from "./commands/up.ts";
import { RunError, UsageError } from "./errors.ts";
import { addDriveCommands } from "./flags/drive-commands.ts";
import { addServeFlags, serveHelp, topHelp, upHelp } from "./flags/options.ts";
import { type TakenFlags, takeRcloneFlags } from "./flags/rclone.ts";
import type { Flags } from "./flags/resolve.ts";
import { addSqlCommands } from "./sql/commands.ts";

const booleans = [
  "v2-auth",
  "read-only",
  "force-path-style",
  "no-cleanup",
  "no-fsync",
  "use-json-log",
  "quiet",
];

/** The `overcoat` command: sets the exit code 0 (stopped cleanly), 1 (failed) or 2 (used wrongly). */
export async function run(args: readonly string[]): Promise<void> {
  let code = 0;
  // Who reads may go before the end, as `head` and terminals do: what was begun is finished all the same.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
  });
  try {
    await runCommand(args);
  } catch (error) {
    code = report(error);
  }
  process.exit(code);
}

export async function runCommand(args: readonly string[]): Promise<void> {
  let taken: TakenFlags = { rest: [], taken: new Set(), notes: [] };
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const program = new Command("overcoat")
    .description(
      "Serves a folder, NAS mount or drive to any S3 client, and services such as Redis to any PostgreSQL.",
    )
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "overcoat: ")) })
    .showHelpAfterError("`overcoat serve s3 --help` tells all flags.")
    .addHelpText("after", topHelp);
  const serveCommand = program.command("serve").description("serve a remote over a protocol").exitOverride();
  const s3 = serveCommand
    .command("s3")
    .description("serve REMOTE, a folder or drive, as S3; its top-level folders are the buckets")
    .argument(
      "[REMOTE]",
      "folder, or name:path of a remote in rclone.conf or overcoat.config.ts (or RC_S3_REMOTE)",
    )
    .exitOverride()
    .action(async (remote: string | undefined, flags: Flags) => {
      const { serveS3 } = await import("./commands/serve-s3.ts");
      await serveS3(remote, flags, taken);
    })
    .addHelpText("after", serveHelp);
  addServeFlags(s3, "serve");
  const up = program
    .command("up")
    .description(
      "serve S3, a PostgreSQL with the wrappers in it and the console, with generated keys and a sample bucket",
    )
    .exitOverride()
    .action(async (flags: UpFlags) => {
      const { up } = await import("./commands/up.ts");
      await up(flags);
    })
    .addHelpText("after", upHelp);
  addServeFlags(up, "up");
  addSqlCommands(program, serveCommand);
  addDriveCommands(program);
  addSimulateCommand(program);

  if (!takesRcloneFlags(args)) {
    await program.parseAsync(args, { from: "user" });
    return;
  }
  const valued = new Set(
    s3.options.filter((option) => option.required).map((option) => option.long!.slice(2)),
  );
  taken = takeRcloneFlags(args, booleans, valued);
  if (taken.missing) throw new UsageError(`--${taken.missing} needs a value`);
  await program.parseAsync(taken.rest, { from: "user" });
}

/** The commands that take the place of rclone's. */
function takesRcloneFlags([command, kind]: readonly string[]): boolean {
  return (
    !["up", "sql", "simulate", "login", "remotes", "doctor"].includes(command ?? "") &&
    !(command === "serve" && kind === "sql")
  );
}

function report(error: unknown): number {
  if (error instanceof CommanderError) {
    // Commander has told what is wrong already.
    return error.exitCode === 0 ? 0 : 2;
  }
  if (error instanceof UsageError) {
    process.stderr.write(`overcoat: ${error.message}\n`);
    return 2;
  }
  const told = error instanceof RunError ? error.message : ((error as Error)?.stack ?? String(error));
  process.stderr.write(`overcoat: ${told}\n`);
  return 1;
}
