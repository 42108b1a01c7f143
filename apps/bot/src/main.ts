import { run } from "@grammyjs/runner";
import { GrammyError, HttpError } from "grammy";
import { createWrappers } from "@/integrations/wrappers";
import { createBot } from "./bot.ts";
import { commands } from "./commands/index.ts";
import { readSettings, SettingsError } from "./settings.ts";

const log = (message: string) => process.stderr.write(`${new Date().toISOString()} ${message}\n`);

/** `npm run bot`: long polling until a signal. `--webhook URL` has Telegram call that address instead, and ends. */
async function main(args: readonly string[]): Promise<void> {
  const { token, allowedUsers, apiRoot, database, storage } = await readSettings(process.env);
  const wrappers = createWrappers({ database, storage });
  await using parts = new AsyncDisposableStack();
  parts.defer(() => wrappers.close());
  const bot = createBot({ token, allowedUsers, wrappers, apiRoot, log });
  // `bot.init` would try for ever where Telegram is out of reach.
  bot.botInfo = await bot.api.getMe();
  await bot.api.setMyCommands(commands.map(({ name, description }) => ({ command: name, description })));
  if (args[0] === "--webhook") return setWebhook(bot, args[1]);
  await bot.api.deleteWebhook();
  const running = run(bot);
  process.stdout.write(
    `@${bot.botInfo.username} answers ${allowedUsers.length === 1 ? "one user" : `${allowedUsers.length} users`}. Press Ctrl-C to stop.\n`,
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => running.isRunning() && running.stop());
  await running.task();
  process.stdout.write("Stopped.\n");
}

async function setWebhook(bot: ReturnType<typeof createBot>, url: string | undefined): Promise<void> {
  const secret = process.env.TELEGRAM_WEBHOOK_SECRET ?? "";
  if (!/^[\w-]{16,256}$/.test(secret))
    throw new SettingsError(
      "TELEGRAM_WEBHOOK_SECRET must be 16 to 256 characters of A-Z, a-z, 0-9, _ and -, the same as where the webhook is served",
    );
  if (!url || !URL.canParse(url)) throw new SettingsError("--webhook must be followed by the webhook's URL");
  await bot.api.setWebhook(url, { secret_token: secret, allowed_updates: ["message", "callback_query"] });
  process.stdout.write(`Telegram calls ${url} for @${bot.botInfo.username} from now on.\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`bot: ${explain(error)}\n`);
  process.exitCode = error instanceof SettingsError ? 2 : 1;
}

/** Without a stack for what an operator can do something about; never with what was sent, which has the token. */
function explain(error: unknown): string {
  if (error instanceof SettingsError) return error.message;
  if (error instanceof GrammyError && error.error_code === 401)
    return "Telegram refuses TELEGRAM_BOT_TOKEN; @BotFather gives a new one";
  if (error instanceof GrammyError && error.error_code === 409)
    return "another program polls for this bot: only one may";
  if (error instanceof HttpError) return `Telegram cannot be reached: ${error.message}`;
  if (error instanceof GrammyError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
