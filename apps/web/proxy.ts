import { randomBytes } from "node:crypto";
import { type NextRequest, NextResponse } from "next/server";
import { s3Origin } from "@/lib/server/connections";
import { contentSecurityPolicy } from "@/lib/server/csp";
import { environment } from "@/lib/server/environment";
import { isSameOrigin } from "@/lib/server/origin";
import { isSessionToken, sessionCookie } from "@/lib/server/session-token";

/** What anybody may ask for. */
const open = new Set(["/sign-in", "/healthz", "/remotes/callback"]);

/** Before each page and route: no request of another site's, none without a session, and a policy for the answer. */
export async function proxy(request: NextRequest): Promise<NextResponse> {
  const { pathname, search } = request.nextUrl;
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (!isRead && !isSameOrigin(request.headers))
    return new NextResponse("This request does not come from the console.\n", { status: 403 });
  const settings = environment();
  const token = request.cookies.get(sessionCookie(settings))?.value;
  if (!open.has(pathname) && !(await isSessionToken(token, settings))) {
    if (!isRead || pathname.startsWith("/api/")) return new NextResponse("Sign in first.\n", { status: 401 });
    const signIn = new URL("/sign-in", request.url);
    if (pathname !== "/") signIn.searchParams.set("to", `${pathname}${search}`);
    return NextResponse.redirect(signIn);
  }
  const nonce = randomBytes(16).toString("base64");
  const policy = contentSecurityPolicy(nonce, await s3Origin());
  const headers = new Headers(request.headers);
  headers.set("content-security-policy", policy);
  headers.set("x-nonce", nonce);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy);
  response.headers.set("x-content-type-options", "nosniff");
  response.headers.set("referrer-policy", "same-origin");
  response.headers.set("cross-origin-opener-policy", "same-origin");
  response.headers.set("permissions-policy", "camera=(), microphone=(), geolocation=()");
  return response;
}

export const config = { matcher: "/((?!_next/static/|favicon.ico|icon.svg).*)" };
