import { FormattedString, fmt } from "@grammyjs/parse-mode";
import { type Context, InputFile } from "grammy";

/** Longest JSON that is shown in the message itself, which may have 4,096 characters. */
const mostShown = 3500;

/** Shows a value below a title, or as a file when it is too long for a message. */
export async function replyJson(context: Context, title: string, value: unknown): Promise<void> {
  const text = JSON.stringify(value, undefined, 2) ?? "null";
  const heading = title.slice(0, 500);
  if (text.length > mostShown) {
    await context.replyWithDocument(new InputFile(new TextEncoder().encode(text), "value.json"), {
      caption: heading,
    });
    return;
  }
  const message = fmt`${heading}\n${FormattedString.pre(text, "json")}`;
  await context.reply(message.text, { entities: message.entities });
}
