import { basename } from "node:path/posix";
import { type Context, InputFile } from "grammy";
import type { Wrappers } from "@/integrations/wrappers";
import { Refusal } from "./problem.ts";
import { size } from "./size.ts";

/** Bytes that Telegram lets bots send. */
const mostSent = 50_000_000;
/** Seconds that a link to a larger file is good for. */
const linkLasts = 3600;
/** Milliseconds that a file may take from S3. */
const readWithin = 120_000;

/** Sends the file of this key, or a link where it is too large for Telegram. */
export async function sendFile(context: Context, wrappers: Wrappers, key: string): Promise<void> {
  const file = await wrappers.getS3File(key);
  if (!file) throw new Refusal(`There is no file ${key}.`);
  const { size: bytes } = file.metadata;
  if (bytes === 0) throw new Refusal(`${key} is empty, and Telegram sends no empty files.`);
  const link = () => wrappers.presignDownload(key, { expiresIn: linkLasts });
  if (bytes > mostSent) {
    const text = `${key} has ${size(bytes)}, too much for Telegram. This link is good for an hour:\n${await link()}`;
    await context.reply(text, { link_preview_options: { is_disabled: true } });
    return;
  }
  await context.replyWithChatAction("upload_document");
  // Read anew each time that Telegram is tried.
  const body = async () => {
    const response = await fetch(await link(), { signal: AbortSignal.timeout(readWithin) });
    if (response.ok && response.body) return response.body;
    await response.body?.cancel();
    throw new Error(`S3 answered GET of ${key} with ${response.status}`);
  };
  // The others would end the name in the form that carries it.
  const name = basename(key).replace(/[\r\n;]/g, "_");
  await context.replyWithDocument(new InputFile(body, name));
}
