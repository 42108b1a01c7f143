import { FormattedString, fmt } from "@grammyjs/parse-mode";
import { InlineKeyboard } from "grammy";
import type { Message } from "grammy/types";
import type { Wrappers } from "@/integrations/wrappers";
import { sendFile } from "../send-file.ts";
import { size } from "../size.ts";
import type { Command } from "./command.ts";

const filesOnPage = 10;
/** Longest text of a page's rows; a message may have 4,096 characters. */
const mostText = 3500;
const buttonsInRow = 5;
const title = "Files";

/** Where a page begins. */
interface Place {
  readonly prefix: string;
  /** The key before the first one of the page. */
  readonly after?: string;
}

export const files: Command = {
  name: "files",
  argument: "[PREFIX]",
  description: "files in S3, all or those that begin so",
  install(bot, wrappers) {
    bot.command("files", async (context) => {
      const page = await pageAt(wrappers, { prefix: context.match });
      await context.reply(page.text, page);
    });
    bot.callbackQuery(["first", "next"], async (context) => {
      const { prefix, keys } = readPage(context.callbackQuery.message);
      const after = context.callbackQuery.data === "next" ? keys.at(-1) : undefined;
      const page = await pageAt(wrappers, { prefix, after });
      await context.editMessageText(page.text, page);
      await context.answerCallbackQuery();
    });
    bot.callbackQuery(/^get:(\d+)$/, async (context) => {
      const { keys } = readPage(context.callbackQuery.message);
      const key = keys[Number(context.match[1]) - 1];
      await context.answerCallbackQuery();
      if (key !== undefined) await sendFile(context, wrappers, key);
    });
  },
};

/**
 * A page as a message. All that its buttons need to know can be read in it: the bot remembers nothing, and may have
 * been started anew, or run in another place, when one is pressed.
 */
async function pageAt({ listS3Files }: Wrappers, { prefix, after }: Place) {
  const files = await listS3Files({ prefix, after, limit: filesOnPage + 1 });
  const heading = prefix === "" ? fmt`${title}` : fmt`${title} under ${FormattedString.code(prefix)}`;
  const rows: FormattedString[] = [];
  const keyboard = new InlineKeyboard();
  let length = 0;
  for (const { filename, metadata } of files.slice(0, filesOnPage)) {
    length += filename.length + 40;
    if (rows.length > 0 && length > mostText) break;
    rows.push(fmt`${rows.length + 1}. ${FormattedString.code(filename)} ${size(metadata.size)}`);
    keyboard.text(String(rows.length), `get:${rows.length}`);
    if (rows.length % buttonsInRow === 0) keyboard.row();
  }
  if (rows.length === 0) rows.push(fmt`${after === undefined ? "There are none." : "There are no more."}`);
  keyboard.row();
  if (after !== undefined) keyboard.text("« First", "first");
  if (rows.length < files.length) keyboard.text("Next »", "next");
  const { text, entities } = FormattedString.join([heading, ...rows], "\n");
  return { text, entities, reply_markup: keyboard };
}

/** The prefix and the keys that a page shows. */
function readPage(message: Message | undefined): { prefix: string; keys: readonly string[] } {
  const text = message?.text ?? "";
  const codes = (message?.entities ?? [])
    .filter(({ type }) => type === "code")
    .map(({ offset, length }) => text.slice(offset, offset + length));
  const [prefix, ...keys] = text.startsWith(`${title} under `) ? codes : ["", ...codes];
  return { prefix: prefix ?? "", keys };
}
