"use server";

import type { Auth0User } from "@/integrations/wrappers";
import { requireSession } from "@/lib/server/session";
import { consoleWrappers } from "@/lib/server/wrappers";
import { change, type RowPage, rowPage } from "../row-page";

/** Users whose e-mail address begins with `search`, those after a key. */
export async function usersAfter(search: string, after: string): Promise<RowPage<Auth0User>> {
  await requireSession();
  return rowPage(
    async (limit) => (await consoleWrappers()).searchAuth0Users({ search, after, limit }),
    ({ user_id }) => user_id,
  );
}

/** @returns what went wrong, if something did */
export async function setBlocked(id: string, blocked: boolean): Promise<string | undefined> {
  await requireSession();
  return change(async () => (await consoleWrappers()).blockAuth0User(id, blocked), "This user is gone.");
}
