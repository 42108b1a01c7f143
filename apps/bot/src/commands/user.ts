import { replyJson } from "../json.ts";
import type { Command } from "./command.ts";

export const user: Command = {
  name: "user",
  argument: "MAIL",
  description: "a user of Auth0, by mail address or user id",
  install(bot, { getAuth0User }) {
    bot.command("user", async (context) => {
      const idOrEmail = context.match.trim();
      if (!idOrEmail) return context.reply("Which user? /user MAIL");
      const found = await getAuth0User(idOrEmail);
      if (!found) return context.reply(`There is no user ${idOrEmail}.`);
      return replyJson(context, `User ${found.email ?? found.user_id}`, found.profile);
    });
  },
};
