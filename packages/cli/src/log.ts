import { destination, type Logger as Pino, pino } from "pino";
import pretty from "pino-pretty";
import type { LogLevel, Settings } from "./flags/resolve.ts";

export interface Logger {
  /** Always one plain line, save in JSON. */
  announce(text: string): void;
  notice(text: string, fields?: object): void;
  error(text: string, fields?: object): void;
  /** For the server's entries: requests are told from level `info` on, failures always. */
  entry(entry: object): void;
}

const thresholds: Record<LogLevel, string> = { debug: "debug", info: "info", notice: "warn", error: "error" };

/** Writes to standard error. */
export function createLog(settings: Pick<Settings, "logFormat" | "logLevel">): Logger {
  const level = thresholds[settings.logLevel];
  const json = settings.logFormat === "json";
  const log: Pino = json
    ? pino({ level }, destination({ fd: 2, sync: true }))
    : pino(
        { level, base: undefined },
        pretty({
          destination: 2,
          sync: true,
          colorize: process.stderr.isTTY === true,
          translateTime: "SYS:standard",
        }),
      );
  const always = json ? pino({ level: "info" }, destination({ fd: 2, sync: true })) : undefined;
  return {
    announce: (text) => (always ? always.info(text) : process.stderr.write(`${text}\n`)),
    notice: (text, fields = {}) => log.warn(fields, text),
    error: (text, fields = {}) => log.error(fields, text),
    entry(entry) {
      const { level: told, msg, message, ...fields } = entry as Record<string, unknown>;
      const status = Number(fields.status ?? fields.statusCode ?? 0);
      const text = String(msg ?? message ?? "request");
      if (told === "error" || fields.error !== undefined || (status >= 500 && status !== 501))
        log.error(fields, text);
      else if (told === "warn") log.warn(fields, text);
      else if (told === "debug") log.debug(fields, text);
      else log.info(fields, text);
    },
  };
}
