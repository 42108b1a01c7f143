import { destination, pino } from "pino";
import prettyLines from "pino-pretty";
import { RunError } from "./errors.ts";
import type { LogLevel } from "./flags/log.ts";
import type { Settings } from "./flags/resolve.ts";

export interface Logger {
  /** Always one plain line, save in JSON. */
  announce(text: string): void;
  notice(text: string, fields?: object): void;
  error(text: string, fields?: object): void;
  /** For the server's entries: requests are told from level `info` on, failures always. */
  entry(entry: object): void;
  readonly tellsRequests: boolean;
}

/** Between `info` and `warn`, as in rclone. */
const customLevels = { notice: 35 };
const thresholds: Record<LogLevel, string> = {
  debug: "debug",
  info: "info",
  notice: "notice",
  error: "error",
};

/**
 * Writes to standard error or the file.
 * @param onError hears of errors too
 * @throws RunError when the file cannot be written
 */
export function createLog(
  settings: Pick<Settings, "logFormat" | "logFile" | "logLevel">,
  onError: (message: string) => void = () => {},
): Logger {
  const level = thresholds[settings.logLevel];
  const target = logTarget(settings.logFile);
  const pretty = settings.logFormat === "pretty";
  const log = pretty
    ? pino(
        { level, customLevels, base: undefined },
        prettyLines({
          destination: target,
          customLevels,
          colorize: settings.logFile === undefined && process.stderr.isTTY === true,
          translateTime: "SYS:standard",
          singleLine: true,
        }),
      )
    : pino({ level, customLevels }, target);
  const always = pretty ? undefined : pino({ level: "info" }, target);
  return {
    announce: (text) => (always ? always.info(text) : target.write(`${text}\n`)),
    notice: (text, fields = {}) => log.notice(fields, text),
    error(text, fields = {}) {
      onError(text);
      log.error(fields, text);
    },
    entry(entry) {
      const { level: told, msg, message, ...fields } = entry as Record<string, unknown>;
      const status = Number(fields.status ?? fields.statusCode ?? 0);
      const text = String(msg ?? message ?? "request");
      if (told === "error" || fields.error !== undefined || (status >= 500 && status !== 501)) {
        onError([text, fields.operation, fields.path, fields.status, fields.error].filter(Boolean).join(" "));
        log.error(fields, text);
      } else if (told === "warn") log.warn(fields, text);
      else if (told === "debug") log.debug(fields, text);
      else log.info(fields, text);
    },
    tellsRequests: log.isLevelEnabled("info"),
  };
}

function logTarget(file: string | undefined) {
  if (file === undefined) return destination({ fd: 2, sync: true });
  try {
    return destination({ dest: file, append: true, sync: true });
  } catch (error) {
    throw new RunError(`--log-file: cannot write ${file}: ${(error as Error).message}`, { cause: error });
  }
}
