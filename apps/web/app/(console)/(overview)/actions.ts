"use server";

import { revalidatePath } from "next/cache";
import { requireSession } from "@/lib/server/session";
import { runSmokeTest } from "./smoke-test";

export async function testStorage(): Promise<void> {
  await requireSession();
  await runSmokeTest();
  revalidatePath("/");
}
