/** Whether a request that changes something comes from a page of the host that it was sent to. */
export function isSameOrigin(headers: Pick<Headers, "get">): boolean {
  const origin = headers.get("origin");
  const host = headers.get("x-forwarded-host") ?? headers.get("host");
  return origin !== null && URL.parse(origin)?.host === host;
}

/** A path of this site to go to after signing in; anything else is the first page. */
export function localPath(path: unknown): string {
  if (typeof path !== "string" || !/^\/(?![/\\])/.test(path)) return "/";
  const url = URL.parse(path, "http://localhost");
  return url?.origin === "http://localhost" ? `${url.pathname}${url.search}` : "/";
}
