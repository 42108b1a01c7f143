import { redirect } from "next/navigation";
import { finishSignIn } from "@/lib/server/remotes";
import { requireSession } from "@/lib/server/session";
import { keptSignInState } from "@/lib/server/sign-in-cookie";

/** Ends the sign-in that this browser began, and no other; the page tells what became of it. */
export async function GET(request: Request): Promise<never> {
  await requireSession();
  const { search, searchParams } = new URL(request.url);
  const state = await keptSignInState();
  if (state !== undefined && state === searchParams.get("state"))
    // A second answer to one sign-in is refused, and changes nothing.
    await finishSignIn(state, search).catch(() => undefined);
  redirect("/remotes?ended");
}
