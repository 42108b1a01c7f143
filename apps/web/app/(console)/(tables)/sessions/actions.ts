"use server";

import type { RedisSession } from "@/integrations/wrappers";
import { requireSession } from "@/lib/server/session";
import { consoleWrappers } from "@/lib/server/wrappers";
import { change, type RowPage, rowPage } from "../row-page";

/** Sessions whose id begins with `prefix`, those after a key. */
export async function sessionsAfter(prefix: string, after: string): Promise<RowPage<RedisSession>> {
  await requireSession();
  return rowPage(
    async (limit) => (await consoleWrappers()).listRedisSessions({ prefix, after, limit }),
    ({ session_id }) => session_id,
  );
}

/** @returns what went wrong, if something did */
export async function endRedisSession(id: string): Promise<string | undefined> {
  await requireSession();
  return change(
    async () => (await consoleWrappers()).deleteRedisSession(id),
    "This session has ended already.",
  );
}
