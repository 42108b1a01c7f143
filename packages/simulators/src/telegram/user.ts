import { randomInt } from "node:crypto";
import type { Chat, Message, User } from "./chats.ts";
import type { Service } from "./methods.ts";

/** Milliseconds that the bot may take to answer. */
const patience = 20_000;

/** A file that a user sends. */
export interface UserFile {
  readonly name?: string;
  readonly type?: string;
  readonly bytes: Uint8Array;
  /** Told in place of the number of the bytes. */
  readonly size?: number;
  readonly caption?: string;
}

/** Somebody with Telegram on their telephone. */
export class TelegramUser {
  readonly #service: Service;
  readonly #user: User;
  readonly #chat: Chat;
  #read = 0;

  constructor(service: Service, id: number, firstName: string) {
    this.#service = service;
    this.#user = { id, is_bot: false, first_name: firstName };
    this.#chat = service.chats.get(id, "private");
  }

  /** The chat with the bot, as it is seen now. */
  get messages(): readonly Message[] {
    return this.#chat.messages;
  }

  say(text: string): Message {
    return this.#tell(this.#chat, written(text));
  }

  /** Writes in a group that the bot is in too. */
  sayInGroup(groupId: number, text: string): readonly Message[] {
    const group = this.#service.chats.get(groupId, "group");
    this.#tell(group, written(text));
    return group.messages;
  }

  sendDocument({ name, type = "", bytes, size, caption }: UserFile): Message {
    const document = this.#service.files.keep(name, type, bytes, size);
    return this.#tell(this.#chat, { document, ...(caption !== undefined && { caption }) });
  }

  /** A photo, in two sizes as Telegram makes them. */
  sendPhoto({ bytes, caption }: UserFile): Message {
    const sizes = [bytes.subarray(0, Math.ceil(bytes.length / 4)), bytes];
    const photo = sizes.map((size, i) => {
      const {
        file_name: _,
        mime_type: __,
        ...kept
      } = this.#service.files.keep(undefined, "image/jpeg", size);
      return { ...kept, width: 90 * (i + 1), height: 60 * (i + 1) };
    });
    return this.#tell(this.#chat, { photo, ...(caption !== undefined && { caption }) });
  }

  /** The next message of the bot that was not looked at yet. @throws Error when none comes in time */
  next(): Promise<Message> {
    return this.#chat.find(() => {
      const message = this.#chat.messages.find(
        ({ message_id, from }) => from.is_bot && message_id > this.#read,
      );
      if (message) this.#read = message.message_id;
      return message;
    }, patience);
  }

  /** Says something and waits for the answer. */
  ask(text: string): Promise<Message> {
    this.say(text);
    return this.next();
  }

  /**
   * Presses a button below a message. @returns the message once the bot has edited it
   * @throws Error when there is no such button, or nothing happens in time
   */
  async press(message: Message, label: string): Promise<Message> {
    const before = this.#current(message);
    this.click(message, label);
    return this.#chat.find(() => {
      const now = this.#current(message);
      return now === before ? undefined : now;
    }, patience);
  }

  /** Presses a button and does not wait. @returns what the user is shown on top of the chat, once it is */
  click(message: Message, label: string): () => string | undefined {
    const shown = this.#current(message);
    const button = shown.reply_markup?.inline_keyboard.flat().find(({ text }) => text === label);
    if (!button) throw new Error(`there is no button "${label}" below: ${shown.text}`);
    return this.callback(shown, button.callback_data ?? "");
  }

  /** A callback query with data of the user's choice, as a changed client could send it. */
  callback(message: Message, data: string): () => string | undefined {
    const id = String(randomInt(2 ** 47));
    const query: { answered: boolean; text?: string } = { answered: false };
    this.#service.queries.set(id, query);
    this.#service.updates.add({
      callback_query: { id, from: this.#user, message, chat_instance: String(this.#chat.id), data },
    });
    return () => query.text;
  }

  /** The bytes of a document in this chat. */
  download(message: Message): Uint8Array | undefined {
    return message.document && this.#service.files.bytes(message.document.file_id);
  }

  block(): void {
    this.#chat.blocked = true;
  }

  #current(message: Message): Message {
    return this.#chat.messages.find(({ message_id }) => message_id === message.message_id)!;
  }

  #tell(chat: Chat, content: Partial<Message>): Message {
    chat.open = true;
    const message = chat.add(this.#user, content);
    this.#service.updates.add({ message });
    return message;
  }
}

/** A text with the entity that Telegram finds where it begins with a command. */
function written(text: string): Partial<Message> {
  const command = /^\/[\w]+(@\w+)?/.exec(text)?.[0];
  return {
    text,
    ...(command && { entities: [{ type: "bot_command", offset: 0, length: command.length }] }),
  };
}
