import type { Bot, Context } from "grammy";
import type { Wrappers } from "@/integrations/wrappers";
import { Refusal } from "../problem.ts";
import { size } from "../size.ts";

/** What Telegram lets bots fetch. */
const mostFetched = 20_000_000;
/** Milliseconds that a file may take from Telegram, and to S3. */
const copiedWithin = 120_000;

/** A file as Telegram tells of it. */
interface Sent {
  readonly name: string;
  readonly type: string | undefined;
  readonly size: number | undefined;
}

/** Where Telegram keeps the files that were sent to a bot. */
export interface FileStore {
  readonly token: string;
  readonly apiRoot: string;
}

/** Puts each file that is sent to the bot into S3: below its caption where that ends with a slash, else as it says. */
export function installUpload(bot: Bot, wrappers: Wrappers, { token, apiRoot }: FileStore): void {
  bot.on("message:file", async (context) => {
    const sent = describe(context);
    if ((sent.size ?? 0) > mostFetched)
      throw new Refusal(`${sent.name} has ${size(sent.size!)}; Telegram gives bots no more than 20 MB.`);
    const key = keyOf(sent.name, context.message.caption);
    if (await wrappers.getS3File(key))
      throw new Refusal(`${key} exists already. Send it with another key as its caption.`);
    await context.replyWithChatAction("typing");
    const { file_path } = await context.getFile();
    const bytes = await fetchFile(`${apiRoot}/file/bot${token}/${file_path}`, mostFetched);
    await store(wrappers, key, bytes, sent.type);
    await context.reply(`Stored ${key} (${size(bytes.length)}).`);
  });
}

function describe(context: Context): Sent {
  const { document, photo, video, audio, voice, animation, video_note, sticker, date } = context.message!;
  const named = document ?? animation ?? video ?? audio;
  const time = new Date(date * 1000).toISOString().slice(0, 19).replaceAll(":", "-");
  if (named) return { name: named.file_name ?? `file-${time}`, type: named.mime_type, size: named.file_size };
  if (photo) return { name: `photo-${time}.jpg`, type: "image/jpeg", size: photo.at(-1)?.file_size };
  if (voice) return { name: `voice-${time}.ogg`, type: voice.mime_type, size: voice.file_size };
  if (video_note) return { name: `video-${time}.mp4`, type: "video/mp4", size: video_note.file_size };
  return { name: `sticker-${time}.webp`, type: undefined, size: sticker?.file_size };
}

function keyOf(name: string, caption: string | undefined): string {
  const wanted = caption?.trim() ?? "";
  if (wanted.includes("\n")) throw new Refusal("The caption is the key to store the file as: one line.");
  if (wanted === "" || wanted.endsWith("/")) return wanted + name;
  return wanted;
}

async function fetchFile(url: string, most: number): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(copiedWithin) });
  if (!response.ok) throw new Error(`Telegram answered the download of a file with ${response.status}`);
  if (Number(response.headers.get("content-length") ?? 0) > most) {
    await response.body?.cancel();
    throw new Refusal("Telegram gives bots no more than 20 MB.");
  }
  return new Uint8Array(await response.arrayBuffer());
}

async function store(
  { presignUpload }: Wrappers,
  key: string,
  bytes: Uint8Array,
  contentType: string | undefined,
): Promise<void> {
  const response = await fetch(await presignUpload(key, { expiresIn: 300 }), {
    method: "PUT",
    body: bytes as Uint8Array<ArrayBuffer>,
    headers: { "if-none-match": "*", ...(contentType && { "content-type": contentType }) },
    signal: AbortSignal.timeout(copiedWithin),
  });
  await response.body?.cancel();
  if (response.status === 412)
    throw new Refusal(`${key} exists already. Send it with another key as its caption.`);
  if (!response.ok) throw new Error(`S3 answered PUT of ${key} with ${response.status}`);
}
