import type { Bot } from "grammy";
import type { Wrappers } from "@/integrations/wrappers";

/** Something that users can do. */
export interface Command {
  /** Without its slash. */
  readonly name: string;
  /** What follows the name, as help shows it: `[PREFIX]`. */
  readonly argument?: string;
  /** One line for help and for Telegram's menu. */
  readonly description: string;
  install(bot: Bot, wrappers: Wrappers): void;
}
