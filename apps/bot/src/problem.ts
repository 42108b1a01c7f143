import { GrammyError, HttpError } from "grammy";
import { WrapperError } from "@/integrations/wrappers";

/** What the user did cannot be done, and why: shown as it is. */
export class Refusal extends Error {}

/** What the user is told of an error, and what the operator is. */
export function problemOf(error: unknown): { readonly shown: string; readonly logged?: string } {
  if (error instanceof Refusal) return { shown: error.message };
  if (error instanceof WrapperError) return { shown: error.message, logged: error.message };
  if (error instanceof GrammyError || error instanceof HttpError)
    return { shown: "Telegram did not take the answer. Please try again.", logged: error.message };
  const logged = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { shown: "That did not work. The bot's log tells why.", logged };
}
