import { autoRetry } from "@grammyjs/auto-retry";
import { sequentialize } from "@grammyjs/runner";
import { Bot } from "grammy";
import type { Wrappers } from "@/integrations/wrappers";
import { onlyUsers } from "./access.ts";
import { installHelp } from "./commands/help.ts";
import { commands } from "./commands/index.ts";
import { installUpload } from "./commands/upload.ts";
import { problemOf } from "./problem.ts";

export interface BotOptions {
  /** From @BotFather. Never shown in logs and errors. */
  readonly token: string;
  /** Ids of the users that it answers. */
  readonly allowedUsers: readonly number[];
  readonly wrappers: Wrappers;
  /** What takes the place of `https://api.telegram.org`. */
  readonly apiRoot?: string;
  /** Told of what went wrong and is not the user's to know. */
  readonly log: (message: string) => void;
}

const telegram = "https://api.telegram.org";
/** Seconds that one call of Telegram may take, a file of 50 MB included. */
const callTimeout = 120;
const retries = { maxRetryAttempts: 3, maxDelaySeconds: 30, rethrowHttpErrors: true };

/** The bot, to be run by long polling or served as a webhook. */
export function createBot({ token, allowedUsers, wrappers, apiRoot = telegram, log }: BotOptions): Bot {
  const bot = new Bot(token, { client: { apiRoot, timeoutSeconds: callTimeout } });
  bot.api.config.use(autoRetry(retries));
  // What one user asks is answered in order, while others are served.
  bot.use(sequentialize(({ from }) => String(from?.id)));
  bot.use(onlyUsers(new Set(allowedUsers)));
  bot.use(async (context, next) => {
    try {
      await next();
    } catch (error) {
      const { shown, logged } = problemOf(error);
      if (logged !== undefined) log(logged.replaceAll(token, "…"));
      if (context.callbackQuery) await context.answerCallbackQuery().catch(() => undefined);
      await context.reply(shown);
    }
  });
  for (const { install } of commands) install(bot, wrappers);
  installUpload(bot, wrappers, { token, apiRoot });
  installHelp(bot, commands);
  bot.on("message", (context) => context.reply("I do not understand that. /help tells what I can do."));
  bot.catch(({ message }) => log(message.replaceAll(token, "…")));
  return bot;
}
