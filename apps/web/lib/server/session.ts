import "server-only";
import { cookies } from "next/headers";
import { redirect } from "next/navigation";
import { cache } from "react";
import { type Environment, environment } from "./environment";
import { isSessionToken, makeSessionToken, sessionCookie, sessionSeconds } from "./session-token";

/** No script reads such a cookie, and no page of another site has it sent. */
export const cookieAttributes = ({ url }: Pick<Environment, "url">) =>
  ({ httpOnly: true, sameSite: "strict", secure: url.startsWith("https:"), path: "/" }) as const;

const cookieSettings = () => {
  const settings = environment();
  return { settings, name: sessionCookie(settings), attributes: cookieAttributes(settings) };
};

export async function startSession(): Promise<void> {
  const { settings, name, attributes } = cookieSettings();
  (await cookies()).set(name, await makeSessionToken(settings), { ...attributes, maxAge: sessionSeconds });
}

export async function endSession(): Promise<void> {
  const { name, attributes } = cookieSettings();
  (await cookies()).set(name, "", { ...attributes, maxAge: 0 });
}

/**
 * Every page, server action and route handler begins with it, though `proxy.ts` lets none by that has no session:
 * one guard may be passed by mistake. Redirects to the sign-in page.
 */
export const requireSession = cache(async (): Promise<void> => {
  const { settings, name } = cookieSettings();
  if (!(await isSessionToken((await cookies()).get(name)?.value, settings))) redirect("/sign-in");
});
