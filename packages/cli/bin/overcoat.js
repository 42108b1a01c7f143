#!/usr/bin/env node
// Runs on any Node.js >= 20: finds Node.js 24 where this one is older, then hands over to src/main.ts.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
// - Buffers of bodies are freed with the small objects that stand for them: these are collected often.
// - Code on large pages misses fewer of them.
// - To optimise PostgreSQL's parser, which is WebAssembly, V8 takes 550 MiB for a while; it saves 12 µs a statement.
// Workers inherit these.
const flags = ["--max-semi-space-size=4", "--use-largepages=silent", "--liftoff-only"];
// File work runs on libuv's pool; four threads are too few for a server. Read when the pool starts.
process.env.UV_THREADPOOL_SIZE ??= "16";

function findNode() {
  const name = process.platform === "win32" ? "node.exe" : "node";
  for (let folder = here; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", "node", "bin", name);
    if (existsSync(candidate)) return candidate;
    if (dirname(folder) === folder) break;
  }
  try {
    return createRequire(import.meta.url).resolve(`node/bin/${name}`);
  } catch {
    return undefined;
  }
}

/**
 * npm runs commands by a shell, which ends at a signal to npm without passing it on: so it is taken as the signal when
 * that shell ends, unless it was to leave this process in the background.
 */
function endWithNpm() {
  const script = process.env.npm_lifecycle_script ?? "";
  if (!script.includes("overcoat") || /(?<![&>])&(?![&>])/.test(script)) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGTERM");
  }, 500);
  timer.unref();
}

if (Number(process.versions.node.split(".")[0]) >= 24) {
  // V8 takes these only when it starts, and so the process starts over, as itself.
  if (process.execve && !flags.every((flag) => process.execArgv.includes(flag)))
    process.execve(process.execPath, [
      process.execPath,
      ...process.execArgv,
      ...flags,
      ...process.argv.slice(1),
    ]);
  endWithNpm();
  const { run } = await import("../src/main.ts");
  await run(process.argv.slice(2));
} else {
  const node = findNode();
  if (node === undefined) {
    process.stderr.write(
      `overcoat: needs Node.js 24 (this is ${process.versions.node}) and found no copy of it: run \`npm ci\` in the repository.\n`,
    );
    process.exit(1);
  }
  endWithNpm();
  const child = spawn(node, [...flags, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    // The channel tells the child when this process is killed, so that it never outlives it.
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...process.env, OVERCOAT_WRAPPED: "1" },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`overcoat: cannot run ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (exitCode, signal) => {
    process.exit(exitCode ?? 128 + (constants.signals[signal] ?? 1));
  });
}
