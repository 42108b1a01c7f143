import { createHash, timingSafeEqual } from "node:crypto";
import { type Bot, webhookCallback } from "grammy";

/** Milliseconds after which Telegram is told that an update has arrived, though its handling goes on. */
const answerWithin = 50_000;

/**
 * Serves a bot to Telegram's calls of a webhook. What does not carry the secret token that was given to `setWebhook`
 * is refused before anything of it is read.
 */
export function webhook(bot: Bot, secretToken: string): (request: Request) => Promise<Response> {
  if (!/^[\w-]{16,256}$/.test(secretToken))
    throw new Error("the webhook's secret must be 16 to 256 characters of A-Z, a-z, 0-9, _ and -");
  const handle = webhookCallback(bot, "std/http", {
    secretToken,
    onTimeout: "return",
    timeoutMilliseconds: answerWithin,
  });
  const expected = digest(secretToken);
  return async (request) => {
    const given = request.headers.get("x-telegram-bot-api-secret-token") ?? "";
    if (!timingSafeEqual(digest(given), expected)) return new Response("Unauthorized\n", { status: 401 });
    if (request.method !== "POST")
      return new Response("Method Not Allowed\n", { status: 405, headers: { allow: "POST" } });
    // `bot.init` would try for ever where Telegram is out of reach.
    if (!bot.isInited()) bot.botInfo = await bot.api.getMe();
    return handle(request);
  };
}

/** Of equal length whatever the text, so that comparing tells nothing of it. */
const digest = (text: string) => createHash("sha256").update(text).digest();
