import { cookies } from "next/headers";
import { environment } from "./environment";
import { cookieAttributes } from "./session";

/** As long as `overcoat up` waits for the browser to come back. */
const seconds = 15 * 60;

const settings = () => {
  const { url } = environment();
  const name = url.startsWith("https:") ? "__Host-overcoat-drive-sign-in" : "overcoat-drive-sign-in";
  return { name, attributes: { ...cookieAttributes({ url }), maxAge: seconds } };
};

/** Keeps which sign-in to a drive this browser began. */
export async function keepSignInState(state: string): Promise<void> {
  const { name, attributes } = settings();
  (await cookies()).set(name, state, attributes);
}

export const keptSignInState = async () => (await cookies()).get(settings().name)?.value;
