import { resolve } from "node:path";
import type { ParsedConfig } from "../config.ts";
import { UsageError } from "../errors.ts";
import type { Flags, Settings } from "./resolve.ts";

export type LogLevel = "debug" | "info" | "notice" | "error";

/** How and where to log. */
export function resolveLog(
  flags: Pick<Flags, "logFormat" | "useJsonLog" | "logFile" | "logLevel" | "verbose" | "quiet">,
  config: ParsedConfig,
): Pick<Settings, "logFormat" | "logFile" | "logLevel"> {
  const logFile = flags.logFile ?? config.logFile;
  return {
    logFormat: resolveLogFormat(flags, config),
    logFile: logFile === undefined ? undefined : resolve(logFile),
    logLevel: resolveLogLevel(flags, config),
  };
}

/** What rclone's `--log-format` lists, of which only `json` changes anything here. */
const rcloneLogBits = /^(?:(?:date|time|microseconds|utc|longfile|shortfile|pid|nolevel|json)(?:,|$))+$/i;

function resolveLogFormat(
  flags: Pick<Flags, "logFormat" | "useJsonLog">,
  config: ParsedConfig,
): Settings["logFormat"] {
  const format = flags.logFormat ?? (flags.useJsonLog ? "json" : (config.logFormat ?? "pretty"));
  if (format === "json" || format === "pretty") return format;
  if (rcloneLogBits.test(format)) return /\bjson\b/i.test(format) ? "json" : "pretty";
  throw new UsageError(`--log-format: "${format}" must be json or pretty`);
}

function resolveLogLevel(
  flags: Pick<Flags, "logLevel" | "verbose" | "quiet">,
  config: ParsedConfig,
): LogLevel {
  const text = flags.logLevel ?? config.logLevel;
  if (text !== undefined) {
    const level = text.toLowerCase();
    if (level === "debug" || level === "info" || level === "notice" || level === "error") return level;
    throw new UsageError(`--log-level: "${text}" must be DEBUG, INFO, NOTICE or ERROR`);
  }
  if (flags.quiet) return "error";
  return (flags.verbose ?? 0) > 1 ? "debug" : flags.verbose ? "info" : "notice";
}
