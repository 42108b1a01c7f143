import type { Chat, Chats, Message, User } from "./chats.ts";
import { BotApiError, badRequest } from "./errors.ts";
import type { Files } from "./files.ts";
import type { Parameters } from "./parameters.ts";
import { readCaption, readKeyboard, readText } from "./text.ts";
import type { Updates } from "./updates.ts";

/** All that a bot's calls are about. */
export interface Service {
  readonly bot: User;
  readonly chats: Chats;
  readonly files: Files;
  readonly updates: Updates;
  /** Callback queries that wait for an answer, and after it what the user was shown. */
  readonly queries: Map<string, { answered: boolean; text?: string }>;
}

type Method = (service: Service, parameters: Parameters) => unknown;

const mostDocument = 50 * 1024 * 1024;
const actions = new Set(["typing", "upload_document", "upload_photo", "upload_video"]);

/** The chat that a call names. */
const chatOf = ({ chats }: Service, parameters: Parameters): Chat =>
  chats.writable(parameters.integer("chat_id"));

function send(service: Service, parameters: Parameters, content: Partial<Message>): Message {
  const chat = chatOf(service, parameters);
  const reply = parameters.json<{ message_id: number }>("reply_parameters");
  if (reply && !chat.messages.some(({ message_id }) => message_id === reply.message_id))
    throw badRequest("message to be replied not found");
  return chat.add(service.bot, { ...content, ...readKeyboard(parameters) });
}

/** The methods of the Bot API that this stand-in has; see https://core.telegram.org/bots/api for each. */
export const methods: Readonly<Record<string, Method>> = {
  getMe: ({ bot }) => ({
    ...bot,
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: false,
  }),

  async getUpdates({ updates }, parameters) {
    const limit = parameters.integer("limit") ?? 100;
    if (limit < 1 || limit > 100) throw badRequest("limit must be 1 to 100");
    parameters.json("allowed_updates");
    return updates.poll(parameters.integer("offset") ?? 0, limit, parameters.integer("timeout") ?? 0);
  },

  setWebhook({ updates }, parameters) {
    const url = parameters.text("url") ?? "";
    const secretToken = parameters.text("secret_token");
    if (secretToken !== undefined && !/^[\w-]{1,256}$/.test(secretToken))
      throw badRequest("secret token contains unallowed characters");
    // As Telegram's own server does in local mode, which takes http on this machine.
    if (url && !/^(https:|http:\/\/127\.0\.0\.1[:/])/.test(url))
      throw badRequest("bad webhook: An HTTPS URL must be provided for webhook");
    parameters.json("allowed_updates");
    parameters.integer("max_connections");
    updates.setWebhook(url ? { url, secretToken } : undefined, parameters.boolean("drop_pending_updates"));
    return true;
  },

  deleteWebhook({ updates }, parameters) {
    updates.setWebhook(undefined, parameters.boolean("drop_pending_updates"));
    return true;
  },

  getWebhookInfo: ({ updates }) => ({
    url: updates.webhook?.url ?? "",
    has_custom_certificate: false,
    pending_update_count: updates.pending,
  }),

  setMyCommands(_, parameters) {
    const commands = parameters.json<{ command: string; description: string }[]>("commands") ?? [];
    if (commands.length > 100) throw badRequest("too many commands specified");
    for (const { command, description } of commands) {
      if (!/^[a-z0-9_]{1,32}$/.test(command)) throw badRequest("BOT_COMMAND_INVALID");
      if (!description || description.length > 256) throw badRequest("BOT_COMMAND_DESCRIPTION_INVALID");
    }
    parameters.json("scope");
    parameters.text("language_code");
    return true;
  },

  sendMessage: (service, parameters) => send(service, parameters, readText(parameters)),

  sendDocument(service, parameters) {
    const file = parameters.file("document");
    if (!file) throw badRequest("there is no document in the request");
    if (file.bytes.length === 0) throw badRequest("file must be non-empty");
    if (file.bytes.length > mostDocument) throw new BotApiError(413, "Request Entity Too Large");
    parameters.boolean("disable_content_type_detection");
    const caption = readCaption(parameters);
    const document = service.files.keep(file.name, "", file.bytes);
    return send(service, parameters, { document, ...caption });
  },

  editMessageText(service, parameters) {
    const chat = chatOf(service, parameters);
    const id = parameters.integer("message_id");
    const message = chat.messages.find(({ message_id }) => message_id === id);
    if (!message) throw badRequest("message to edit not found");
    if (message.from.id !== service.bot.id || message.text === undefined)
      throw badRequest("message can't be edited");
    const { text, entities } = readText(parameters);
    const { reply_markup } = readKeyboard(parameters);
    const content = [text, entities, reply_markup];
    if (JSON.stringify(content) === JSON.stringify([message.text, message.entities, message.reply_markup]))
      throw badRequest(
        "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
      );
    const edited = { ...message, text, entities, reply_markup, edit_date: Math.floor(Date.now() / 1000) };
    chat.replace(edited);
    return edited;
  },

  sendChatAction(service, parameters) {
    chatOf(service, parameters);
    if (!actions.has(parameters.text("action") ?? "")) throw badRequest("wrong parameter action in request");
    return true;
  },

  answerCallbackQuery({ queries }, parameters) {
    const query = queries.get(parameters.text("callback_query_id") ?? "");
    if (!query || query.answered)
      throw badRequest("query is too old and response timeout expired or query ID is invalid");
    const text = parameters.text("text");
    if (text !== undefined && text.length > 200) throw badRequest("MESSAGE_TOO_LONG");
    parameters.boolean("show_alert");
    Object.assign(query, { answered: true, text });
    return true;
  },

  getFile: ({ files }, parameters) => files.describe(parameters.text("file_id")),
};
