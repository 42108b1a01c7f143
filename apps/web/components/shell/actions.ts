"use server";

import { redirect } from "next/navigation";
import { endSession, requireSession } from "@/lib/server/session";

export async function signOut(): Promise<void> {
  await requireSession();
  await endSession();
  redirect("/sign-in");
}
