import { type Context, type Headers, header, reply } from "./context.ts";
import { S3Error } from "./errors.ts";
import { glob } from "./glob.ts";

export const corsMethods: ReadonlySet<string> = new Set(["GET", "PUT", "POST", "DELETE", "HEAD"]);

export interface CorsRule {
  readonly id?: string;
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  /** Patterns of request headers. */
  readonly headers?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  /** Seconds. */
  readonly maxAge?: number;
}

export interface CorsRequest {
  readonly origin: string;
  readonly method: string;
  /** The value of `Access-Control-Request-Headers`; only a preflight has one. */
  readonly requestHeaders?: string;
}

/** The headers of the first rule that allows this request; undefined when none does. */
export function matchCors(
  rules: readonly CorsRule[],
  { origin, method, requestHeaders }: CorsRequest,
): Record<string, string> | undefined {
  const asked = (requestHeaders ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  for (const rule of rules) {
    if (!rule.methods.includes(method)) continue;
    const pattern = rule.origins.find((one) => glob(one, origin, false));
    if (pattern === undefined) continue;
    const allowed = rule.headers?.map((name) => name.toLowerCase()) ?? [];
    if (!asked.every((name) => allowed.some((one) => glob(one, name, false)))) continue;
    const headers: Record<string, string> = {
      "access-control-allow-origin": pattern === "*" ? "*" : origin,
      "access-control-allow-methods": rule.methods.join(", "),
      vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
    };
    if (pattern !== "*") headers["access-control-allow-credentials"] = "true";
    if (asked.length) headers["access-control-allow-headers"] = asked.join(", ");
    if (rule.exposeHeaders?.length) headers["access-control-expose-headers"] = rule.exposeHeaders.join(", ");
    if (rule.maxAge !== undefined) headers["access-control-max-age"] = String(rule.maxAge);
    return headers;
  }
  return undefined;
}

/** The rules of a bucket; none for a bucket without. */
export async function corsRules(context: Pick<Context, "service" | "bucket">): Promise<readonly CorsRule[]> {
  const { cors } = await context.service.objects.buckets.configuration(context.bucket);
  return (cors as readonly CorsRule[] | undefined) ?? [];
}

/** What an origin is told that may use every bucket. */
export const granted = (origin: string): Headers => ({
  "access-control-allow-origin": origin,
  "access-control-expose-headers": "*",
});

/** Answers an OPTIONS request, which nobody signs. @throws S3Error BadRequest, AccessForbidden */
export async function preflight(context: Context): Promise<void> {
  const origin = header(context, "origin");
  if (!origin) throw new S3Error("BadRequest", "Insufficient information. Origin request header needed.");
  const method = header(context, "access-control-request-method");
  if (!method || !corsMethods.has(method))
    throw new S3Error("BadRequest", `Invalid Access-Control-Request-Method: ${method ?? "null"}`);
  const requestHeaders = header(context, "access-control-request-headers");
  const { allowOrigins } = context.service;
  if (allowOrigins.includes("*") || allowOrigins.includes(origin))
    return reply(context, 200, {
      "access-control-allow-methods": [...corsMethods].join(", "),
      "access-control-allow-headers": requestHeaders,
    });
  await context.service.objects.buckets.path(context.bucket);
  const headers = matchCors(await corsRules(context), { origin, method, requestHeaders });
  if (!headers)
    throw new S3Error("AccessForbidden", undefined, {
      Method: method,
      ResourceType: context.key ? "OBJECT" : "BUCKET",
    });
  reply(context, 200, headers);
}

/** Adds the CORS headers that the bucket's rules grant to this request's origin. */
export async function allowOrigin(context: Context): Promise<void> {
  const origin = header(context, "origin");
  if (origin === undefined || !context.bucket) return;
  const method = header(context, "access-control-request-method") ?? context.request.method ?? "";
  const headers = matchCors(await corsRules(context), { origin, method });
  Object.assign(context.headers, headers);
}
