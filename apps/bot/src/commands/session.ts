import { replyJson } from "../json.ts";
import type { Command } from "./command.ts";

export const session: Command = {
  name: "session",
  argument: "ID",
  description: "a session of Redis",
  install(bot, { getRedisSession }) {
    bot.command("session", async (context) => {
      const id = context.match.trim();
      if (!id) return context.reply("Which session? /session ID");
      const found = await getRedisSession(id);
      if (!found) return context.reply(`There is no session ${id}.`);
      return replyJson(context, `Session ${id}`, found.payload);
    });
  },
};
