"use server";

import { revalidatePath } from "next/cache";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { messageOf } from "@/lib/server/checks";
import { environment } from "@/lib/server/environment";
import { consoleOrigin } from "@/lib/server/origin";
import { chooseDrive, serveRemote, startSignIn } from "@/lib/server/remotes";
import { requireSession } from "@/lib/server/session";
import { keepSignInState, keptSignInState } from "@/lib/server/sign-in-cookie";
import { callbackPath } from "./paths";

export interface StartState {
  readonly error?: string;
  /** The provider's, to which the browser is to go. */
  readonly address?: string;
}

/** Begins a sign-in to a drive. What the form holds goes on to `overcoat up` and is not given back. */
export async function beginSignIn(_: StartState, form: FormData): Promise<StartState> {
  await requireSession();
  const text = (name: string) => String(form.get(name) ?? "").trim();
  try {
    const { state, address } = await startSignIn({
      provider: text("provider"),
      name: text("name"),
      again: form.has("again"),
      clientId: text("clientId") || undefined,
      clientSecret: text("clientSecret") || undefined,
      redirect: `${consoleOrigin(await headers(), environment().url)}${callbackPath}`,
    });
    await keepSignInState(state);
    return { address };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

/** Takes the drive that `form` names for the sign-in that this browser began. */
export async function takeDrive(form: FormData): Promise<void> {
  await requireSession();
  const state = await keptSignInState();
  // Where that is refused the page tells how the sign-in stands.
  if (state !== undefined) await chooseDrive(state, String(form.get("drive"))).catch(() => undefined);
  redirect("/remotes?ended");
}

/** @returns what went wrong, if something did */
export async function serve(name: string): Promise<string | undefined> {
  await requireSession();
  try {
    await serveRemote(name);
  } catch (error) {
    return messageOf(error);
  }
  revalidatePath("/remotes");
}
