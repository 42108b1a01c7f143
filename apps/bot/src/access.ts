import type { Context, MiddlewareFn } from "grammy";

/** Strangers that are remembered as refused; beyond that the oldest are forgotten and refused once more. */
const mostRemembered = 10_000;

/**
 * Lets only these users through, and only in chats that nobody else reads. A stranger is refused once, and from then
 * on gets no answer at all; groups and channels get none either.
 */
export function onlyUsers(allowed: ReadonlySet<number>): MiddlewareFn<Context> {
  const refused = new Set<number>();
  return async (context, next) => {
    const { from, chat } = context;
    if (!from || chat?.type !== "private") return;
    if (allowed.has(from.id)) return next();
    if (refused.has(from.id) || !context.message) return;
    refused.add(from.id);
    if (refused.size > mostRemembered) refused.delete(refused.values().next().value!);
    await context.reply("Sorry, this bot is private.");
  };
}
