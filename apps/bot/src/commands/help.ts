import type { Bot } from "grammy";
import type { Command } from "./command.ts";

/** Answers /help and /start with what these commands do. */
export function installHelp(bot: Bot, commands: readonly Command[]): void {
  const lines = commands.map(
    ({ name, argument, description }) => `/${name}${argument ? ` ${argument}` : ""} – ${description}`,
  );
  const text = [
    ...lines,
    "",
    "A file that you send me is stored in S3, under its name. A caption says where else: a folder, as in photos/2026/, or a whole key.",
  ].join("\n");
  bot.command(["start", "help"], (context) => context.reply(text));
}
