import { setTimeout as sleep } from "node:timers/promises";
import { ManagementClient, ManagementError } from "auth0";
import { SqlError } from "../error.ts";
import { refusal, refused, unreachable } from "./errors.ts";
import type { Settings } from "./options.ts";

/** An object of the API. */
export type Item = Readonly<Record<string, unknown>>;
export type Parameters = Readonly<Record<string, string | number | boolean | undefined>>;

type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** Milliseconds for one request, its answer's body included. */
const requestTimeout = 15_000;
/** How often a request is sent at most, where a rate limit is in the way and where something fails. */
const mostLimited = 6;
const mostFailed = 4;
/** Milliseconds that one wait takes at most. */
const longestWait = 60_000;
/** Milliseconds to wait at most before a request because the last answer told that none is left. */
const longestPause = 5_000;
const mostBytes = 64 * 1024 * 1024;

/**
 * Calls of one tenant's Management API. Tokens are taken and kept by Auth0's SDK. Waits are kept here, since
 * those of the SDK do not end when the statement is cancelled: a rate limit is waited for as its headers say,
 * a failure of the service or the network with growing intervals, and neither without end.
 */
export class Api {
  /** How many objects the lists had when they were last asked, by path. */
  readonly counts = new Map<string, number>();
  readonly #settings: Settings;
  #client: ManagementClient;
  /** Milliseconds since 1970 before which no request should go out. */
  #resume = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#client = this.#open();
  }

  /** An object or a list. @throws SqlError 02000 where there is none, … */
  async get(path: string, parameters: Parameters, signal: AbortSignal): Promise<unknown> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters))
      if (value !== undefined) query.set(name, String(value));
    const target = query.size > 0 ? `${path}?${query}` : path;
    return this.#call("GET", target, undefined, signal);
  }

  /** `get`, or undefined where there is none. */
  async find(path: string, parameters: Parameters, signal: AbortSignal): Promise<unknown> {
    try {
      return await this.get(path, parameters, signal);
    } catch (error) {
      if (error instanceof SqlError && error.sqlState === "02000") return undefined;
      throw error;
    }
  }

  /** @returns the object that was made or changed @throws SqlError 02000 where it does not exist, 23505 … */
  async send(
    method: Exclude<Method, "GET">,
    path: string,
    body: Item | undefined,
    signal: AbortSignal,
  ): Promise<unknown> {
    return this.#call(method, path, body, signal);
  }

  #open(): ManagementClient {
    const { domain, audience, secure, credentials } = this.#settings;
    return new ManagementClient({
      domain,
      audience,
      ...credentials,
      // The SDK makes https addresses only, and a time limit of its own would not cover the body.
      fetch: (input, init) =>
        fetch(secure ? input : String(input).replace(/^https:/, "http:"), {
          ...init,
          signal: AbortSignal.any([
            AbortSignal.timeout(requestTimeout),
            ...(init?.signal ? [init.signal] : []),
          ]),
        }),
    });
  }

  async #call(method: Method, target: string, body: Item | undefined, signal: AbortSignal): Promise<unknown> {
    const request = `${method} ${target.replace(/\?.*/s, "")}`;
    let renewed = false;
    for (let attempt = 1; ; attempt++) {
      await pause(this.#resume - Date.now(), signal);
      const client = this.#client;
      const answer = await abortable(this.#once(client, method, target, body, signal), signal).catch(
        (error: unknown) => {
          signal.throwIfAborted();
          // A request that may have been carried out is repeated only where that does no harm, and none that
          // has been waited for already.
          const final = method === "POST" || error instanceof SqlError || timedOut(error);
          if (!final && attempt < mostFailed) return undefined;
          throw error instanceof SqlError ? error : unreachable(request, this.#settings.domain, error);
        },
      );
      if (answer && answer.status < 300) return answer.body;
      const failed = answer && refused(request, refusal(answer.status, answer.body));
      // A token can be revoked before its time.
      if (answer?.status === 401 && !renewed && "clientId" in this.#settings.credentials && !answer.byToken) {
        renewed = true;
        // Others may have taken a new one meanwhile.
        if (this.#client === client) this.#client = this.#open();
        continue;
      }
      const again =
        !answer ||
        answer.status === 429 ||
        (method !== "POST" && (answer.status === 408 || answer.status >= 500));
      if (failed && (!again || attempt >= (answer?.status === 429 ? mostLimited : mostFailed))) throw failed;
      await pause(answer?.wait ?? Math.min(longestWait, 250 * 2 ** attempt), signal);
    }
  }

  async #once(
    client: ManagementClient,
    method: Method,
    target: string,
    body: Item | undefined,
    signal: AbortSignal,
  ) {
    let response: Response;
    try {
      response = await client.fetch(
        `https://${this.#settings.domain}/api/v2${target}`,
        {
          method,
          ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
        },
        { maxRetries: 0, abortSignal: signal },
      );
    } catch (error) {
      if (!(error instanceof ManagementError) || error.statusCode === undefined) throw error;
      // The token endpoint refused.
      const status = error.statusCode === 403 ? 401 : error.statusCode;
      return { status, body: error.body, wait: undefined, byToken: true };
    }
    const { status, headers } = response;
    const reset = Number(headers.get("x-ratelimit-reset")) * 1000;
    if (headers.get("x-ratelimit-remaining") === "0")
      this.#resume = Math.min(reset, Date.now() + longestPause);
    const retryAfter = Number(headers.get("retry-after")) * 1000;
    const wait =
      status === 429 ? Math.min(longestWait, retryAfter || Math.max(1000, reset - Date.now())) : undefined;
    return { status, body: await json(response), wait, byToken: false };
  }
}

/** Waits so many milliseconds, if any. @throws the signal's reason as soon as there is one */
async function pause(wait: number, signal: AbortSignal): Promise<void> {
  if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => {});
  signal.throwIfAborted();
}

/** A promise, or the signal's reason: a token is waited for by all, so that one's end does not end the call. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function timedOut(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause.name === "TimeoutError") return true;
  return false;
}

async function json(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > mostBytes) throw new SqlError("54000", `an answer of Auth0 is larger than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  const text = Buffer.concat(chunks).toString();
  try {
    return JSON.parse(text);
  } catch {
    if (response.ok) throw new SqlError("08P01", "Auth0 answered with something other than JSON");
    return { message: text.slice(0, 200) };
  }
}
