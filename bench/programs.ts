import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Where a program is that can be run by name. */
export function onPath(name: string): string | undefined {
  return process.env.PATH?.split(":")
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}

/** 1.65 has `serve s3`; Debian's 1.60 has not. */
const firstMinor = 65;
let found: { readonly file: string | undefined } | undefined;

/** Where an rclone is that can serve S3. One that is too old is left out, with a line that says so. */
export function rclone(): string | undefined {
  found ??= { file: findRclone() };
  return found.file;
}

function findRclone(): string | undefined {
  const file = onPath("rclone");
  if (file === undefined) return undefined;
  const version = spawnSync(file, ["version"], { encoding: "utf8" }).stdout.split("\n")[0]!;
  const [, major, minor] = /v(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) > 1 || Number(minor) >= firstMinor) return file;
  console.error(`${file} is left out: ${version} has no "serve s3", which came with v1.${firstMinor}`);
  return undefined;
}
