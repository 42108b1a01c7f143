import { sendFile } from "../send-file.ts";
import type { Command } from "./command.ts";

export const get: Command = {
  name: "get",
  argument: "KEY",
  description: "a file, or a link where it is large",
  install(bot, wrappers) {
    bot.command("get", async (context) => {
      const key = context.match.trim();
      if (!key) return context.reply("Which file? /get KEY");
      return sendFile(context, wrappers, key);
    });
  },
};
