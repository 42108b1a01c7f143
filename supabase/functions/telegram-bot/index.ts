import { createBot } from "../../../apps/bot/src/bot.ts";
import { webhook } from "../../../apps/bot/src/webhook.ts";
import { needed, projectWrappers, serviceClient } from "../_shared/project.ts";

/** The Telegram bot, called by Telegram: see docs/supabase.md. */

const bot = createBot({
  token: needed("TELEGRAM_BOT_TOKEN"),
  allowedUsers: needed("TELEGRAM_ALLOWED_USERS").split(",").map(Number),
  wrappers: projectWrappers(serviceClient()),
  apiRoot: Deno.env.get("TELEGRAM_API_ROOT"),
  log: (message) => console.error(message),
});

Deno.serve(webhook(bot, needed("TELEGRAM_WEBHOOK_SECRET")));
