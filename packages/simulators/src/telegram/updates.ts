import { BotApiError } from "./errors.ts";

export interface Update {
  readonly update_id: number;
  readonly [kind: string]: unknown;
}

export interface Webhook {
  readonly url: string;
  readonly secretToken: string | undefined;
}

const conflict = (reason: string) => new BotApiError(409, `Conflict: ${reason}`);
const webhookTimeout = 30_000;
const retryAfter = 200;

/** What waits to be told to the bot, by long polling or to its webhook. */
export class Updates {
  #waiting: Update[] = [];
  #next = 1000;
  #webhook: Webhook | undefined;
  #delivering = false;
  #closed = false;
  #poll: ((error?: BotApiError) => void) | undefined;

  get webhook(): Webhook | undefined {
    return this.#webhook;
  }

  get pending(): number {
    return this.#waiting.length;
  }

  add(content: Record<string, unknown>): void {
    this.#waiting.push({ update_id: this.#next++, ...content });
    this.#poll?.();
    void this.#deliver();
  }

  setWebhook(webhook: Webhook | undefined, drop: boolean): void {
    this.#webhook = webhook;
    if (drop) this.#waiting = [];
    this.#poll?.(webhook && conflict("terminated by setWebhook request"));
    void this.#deliver();
  }

  /** Waits `seconds` for something to tell. @throws BotApiError 409 beside a webhook or another poll */
  async poll(offset: number, limit: number, seconds: number): Promise<readonly Update[]> {
    if (this.#webhook)
      throw conflict(
        "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      );
    this.#poll?.(
      conflict("terminated by other getUpdates request; make sure that only one bot instance is running"),
    );
    if (offset > 0) this.#waiting = this.#waiting.filter(({ update_id }) => update_id >= offset);
    if (this.#waiting.length === 0 && seconds > 0 && !this.#closed)
      await new Promise<void>((resolve, reject) => {
        const end = (error?: BotApiError) => {
          clearTimeout(timer);
          this.#poll = undefined;
          if (error) reject(error);
          else resolve();
        };
        const timer = setTimeout(end, seconds * 1000);
        this.#poll = end;
      });
    return this.#waiting.slice(0, limit);
  }

  /** Posts to the webhook, one after the other; what it does not accept is sent again. */
  async #deliver(): Promise<void> {
    if (this.#delivering) return;
    this.#delivering = true;
    while (this.#webhook && this.#waiting.length > 0 && !this.#closed) {
      const { url, secretToken } = this.#webhook;
      const answer = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(secretToken !== undefined && { "x-telegram-bot-api-secret-token": secretToken }),
        },
        body: JSON.stringify(this.#waiting[0]),
        signal: AbortSignal.timeout(webhookTimeout),
      }).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok) this.#waiting.shift();
      else await new Promise((resolve) => setTimeout(resolve, retryAfter));
    }
    this.#delivering = false;
  }

  close(): void {
    this.#closed = true;
    this.#poll?.();
  }
}
