/** Whether a request that changes something comes from a page of the host that it was sent to. */
export function isSameOrigin(headers: Pick<Headers, "get">): boolean {
  const origin = headers.get("origin");
  const host = headers.get("x-forwarded-host") ?? headers.get("host");
  return origin !== null && URL.parse(origin)?.host === host;
}

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/;

/**
 * The origin at which the reader has the console open, where it is one of this machine, else the configured one.
 * @param url where browsers reach the console
 */
export function consoleOrigin(headers: Pick<Headers, "get">, url: string): string {
  const configured = new URL(url);
  const host = headers.get("x-forwarded-host") ?? headers.get("host") ?? "";
  const isHere = configured.protocol === "http:" && loopback.test(configured.host) && loopback.test(host);
  return isHere ? `http://${host}` : configured.origin;
}

/** A path of this site to go to after signing in; anything else is the first page. */
export function localPath(path: unknown): string {
  if (typeof path !== "string" || !/^\/(?![/\\])/.test(path)) return "/";
  const url = URL.parse(path, "http://localhost");
  return url?.origin === "http://localhost" ? `${url.pathname}${url.search}` : "/";
}
