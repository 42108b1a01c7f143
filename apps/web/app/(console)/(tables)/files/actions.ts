"use server";

import type { S3File } from "@/integrations/wrappers";
import { requireSession } from "@/lib/server/session";
import { consoleWrappers } from "@/lib/server/wrappers";
import { type RowPage, rowPage } from "../row-page";

/** Files whose name begins with `prefix`, those after a key. */
export async function filesAfter(prefix: string, after: string): Promise<RowPage<S3File>> {
  await requireSession();
  return rowPage(
    async (limit) => (await consoleWrappers()).listS3Files({ prefix, after, limit }),
    ({ filename }) => filename,
  );
}
