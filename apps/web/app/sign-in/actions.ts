"use server";

import { redirect } from "next/navigation";
import { environment } from "@/lib/server/environment";
import { localPath } from "@/lib/server/origin";
import { isPassword } from "@/lib/server/password";
import { startSession } from "@/lib/server/session";
import { countAttempt } from "@/lib/server/sign-in-limit";

export interface SignInState {
  readonly error?: string;
}

/** Starts a session and goes on to where the reader wanted. */
export async function signIn(_: SignInState, form: FormData): Promise<SignInState> {
  const wait = await countAttempt();
  if (wait !== undefined) return { error: `Too many attempts. Try again in ${wait} seconds.` };
  const password = form.get("password");
  if (typeof password !== "string" || password.length > 200) return { error: "Give the password." };
  if (!(await isPassword(password, environment().passwordHash)))
    return { error: "That is not the password. The terminal that runs Overcoat shows it." };
  await startSession();
  redirect(localPath(form.get("to")));
}
