export type { Message as TelegramMessage } from "./chats.ts";
export {
  startTelegram,
  type TelegramCall,
  type TelegramFault,
  type TelegramOptions,
  type TelegramServer,
} from "./server.ts";
export type { TelegramUser, UserFile } from "./user.ts";
