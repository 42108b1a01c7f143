import { BotApiError, badRequest } from "./errors.ts";

export interface User {
  readonly id: number;
  readonly is_bot: boolean;
  readonly first_name: string;
  readonly username?: string;
}

export interface Entity {
  readonly type: string;
  readonly offset: number;
  readonly length: number;
  readonly url?: string;
}

export interface Button {
  readonly text: string;
  readonly callback_data?: string;
  readonly url?: string;
}

export interface Keyboard {
  readonly inline_keyboard: readonly (readonly Button[])[];
}

export interface Document {
  readonly file_id: string;
  readonly file_unique_id: string;
  readonly file_name?: string;
  readonly mime_type?: string;
  readonly file_size: number;
}

export interface Message {
  readonly message_id: number;
  readonly date: number;
  readonly from: User;
  readonly chat: { readonly id: number; readonly type: string };
  readonly text?: string;
  readonly entities?: readonly Entity[];
  readonly caption?: string;
  readonly document?: Document;
  readonly photo?: readonly (Document & { readonly width: number; readonly height: number })[];
  readonly reply_markup?: Keyboard;
  readonly edit_date?: number;
}

/** A chat of the bot with somebody, or a group, and all that was said in it. */
export class Chat {
  readonly id: number;
  readonly type: "private" | "group";
  readonly messages: Message[] = [];
  /** Set once the user has written: before that, bots may not. */
  open = false;
  /** Set when the user has blocked the bot. */
  blocked = false;
  readonly #changed = new Set<() => void>();

  constructor(id: number, type: "private" | "group") {
    this.id = id;
    this.type = type;
  }

  add(from: User, content: Partial<Message>): Message {
    const message: Message = {
      message_id: (this.messages.at(-1)?.message_id ?? 0) + 1,
      date: Math.floor(Date.now() / 1000),
      from,
      chat: { id: this.id, type: this.type },
      ...content,
    };
    this.messages.push(message);
    this.#tell();
    return message;
  }

  replace(message: Message): void {
    const at = this.messages.findIndex(({ message_id }) => message_id === message.message_id);
    this.messages[at] = message;
    this.#tell();
  }

  #tell(): void {
    for (const look of this.#changed) look();
  }

  /** Resolves with the first that `look` finds, now or after a change. */
  find<T>(look: () => T | undefined, milliseconds: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.#changed.delete(again);
        settle();
      };
      const again = () => {
        const found = look();
        if (found !== undefined) end(() => resolve(found));
      };
      const timer = setTimeout(
        () => end(() => reject(new Error(`chat ${this.id}: nothing came for ${milliseconds} ms`))),
        milliseconds,
      );
      this.#changed.add(again);
      again();
    });
  }
}

/** All chats, by id. */
export class Chats {
  readonly #chats = new Map<number, Chat>();

  get(id: number, type: "private" | "group"): Chat {
    const chat = this.#chats.get(id) ?? new Chat(id, type);
    this.#chats.set(id, chat);
    return chat;
  }

  /** A chat that the bot may write to. @throws BotApiError */
  writable(id: number | undefined): Chat {
    const chat = id === undefined ? undefined : this.#chats.get(id);
    if (!chat) throw badRequest("chat not found");
    if (chat.blocked) throw new BotApiError(403, "Forbidden: bot was blocked by the user");
    if (!chat.open) throw new BotApiError(403, "Forbidden: bot can't initiate conversation with a user");
    return chat;
  }
}
