import type { Readable } from "node:stream";
import { BrokenCircuitError, ConsecutiveBreaker, circuitBreaker, handleType } from "cockatiel";
import { DriveError } from "../../drive.ts";
import type { AccessTokens } from "../tokens.ts";
import { type ByteStream, byteStream, readJson, readText } from "./bodies.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Concurrency, Limiter } from "./limiter.ts";
import { retryAfter } from "./retry-after.ts";
import {
  type Headers,
  NetworkError,
  openTransport,
  type RequestBody,
  type TimeOuts,
  type Transport,
} from "./transport.ts";
import { LostAnswer, type Refusal, type Verdict } from "./verdict.ts";

/** One call of a vendor's API. */
export interface Request {
  /** Method and kind of resource for metrics and messages, with no id, name or secret in it: `GET children`. */
  readonly endpoint: string;
  readonly method: string;
  /** Sent byte for byte as it is. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  /** False for pre-authenticated addresses, which get no token; true where not given. */
  readonly authorized?: boolean;
  /**
   * Whether the call may be made again when it is not known whether it was done. Where not given only GET and HEAD
   * may. Calls that surely were not done are made again in any case.
   */
  readonly repeatable?: boolean;
  /** Statuses beside 2xx that are answers and no refusals, such as 302, 304 and 308. */
  readonly accept?: readonly number[];
  /** Milliseconds that the service may take on purpose; such a call takes no place of others. */
  readonly waits?: number;
  readonly signal?: AbortSignal;
}

export interface JsonRequest extends Request {
  /** Sent as JSON, in the place of a body. */
  readonly content?: unknown;
}

export interface Reply<T> {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Headers;
  readonly body: T;
}

/** A call that has ended, for metrics. A call that is repeated is told of each time. */
export interface FinishedCall {
  readonly endpoint: string;
  /** Undefined where no whole answer came. */
  readonly status: number | undefined;
  readonly milliseconds: number;
  /** 1 for the first, one more for each repeat. */
  readonly attempt: number;
  /** Milliseconds for which it was held back: by a pause, by others under way, or before a repeat. */
  readonly waited: number;
}

/** Hears of calls, for metrics. It is called in the middle of the work, and must not throw. */
export interface CallObserver {
  called(call: FinishedCall): void;
  /** The service asked for fewer calls, and none begins for so many milliseconds more. */
  throttled(milliseconds: number): void;
}

export interface HttpOptions {
  /** For people: `OneDrive`. */
  readonly name: string;
  readonly tokens: AccessTokens;
  /** Says what a refusal means, by the vendor's own codes; `judgeStatus` knows the common rest. */
  judge(refusal: Refusal): Verdict;
  /** Sent with every call, such as `user-agent`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** 64 calls at first and 128 at most where not given. */
  readonly concurrency?: Concurrency;
  /** 10 s, 60 s and 30 s where not given. */
  readonly timeOuts?: Partial<TimeOuts>;
  /** Milliseconds that one call may spend on waiting for others and for repeats; 30 s where not given. */
  readonly patience?: number;
  /** How often a call is made at most; 6 where not given. */
  readonly attempts?: number;
  /** When the service is not called for a while: after how many failures in a row, and for how many milliseconds. */
  readonly breaker?: { readonly failures: number; readonly milliseconds: number };
  readonly observer?: CallObserver;
  readonly clock?: Clock;
  /** Between 0 and 1. */
  readonly random?: () => number;
}

/** Milliseconds of which the first wait before a repeat has at most one, the next two, and so on. */
const firstWait = 500;
const longestWait = 10_000;

/** The service failed, or it could not be reached. */
class Failure extends Error {
  readonly error: DriveError;
  readonly unsent: boolean;

  constructor(error: DriveError, unsent = false) {
    super(error.message);
    this.error = error;
    this.unsent = unsent;
  }
}

type Outcome<T> = { readonly reply: Reply<T> } | { readonly refusal: Refusal; readonly verdict: Verdict };

/**
 * Calls a vendor's API: with a token, one limit for all calls of the drive, time-outs, and repeats where these are
 * safe. Errors are `DriveError` and hold neither tokens nor addresses.
 */
export class HttpClient {
  readonly #options: HttpOptions;
  readonly #transport: Transport;
  readonly #limiter: Limiter;
  readonly #clock: Clock;
  readonly #breaker;
  readonly #breakerPause: number;
  #throttled = 0;

  constructor(options: HttpOptions) {
    const { name, clock = systemClock, concurrency = { first: 64, most: 128 }, breaker } = options;
    const { failures = 20, milliseconds = 10_000 } = breaker ?? {};
    this.#options = options;
    this.#clock = clock;
    this.#transport = openTransport({ connect: 10_000, headers: 60_000, idle: 30_000, ...options.timeOuts });
    this.#limiter = new Limiter(name, clock, concurrency);
    this.#breakerPause = milliseconds;
    this.#breaker = circuitBreaker(handleType(Failure), {
      halfOpenAfter: milliseconds,
      breaker: new ConsecutiveBreaker(failures),
    });
  }

  /**
   * Makes a call whose answer is JSON; an answer with no body gives undefined.
   * @throws DriveError; `LostAnswer` where it may have been done
   */
  json<T>({ content, body, headers, ...request }: JsonRequest): Promise<Reply<T>> {
    const sent = {
      ...request,
      headers: {
        "accept-encoding": "gzip",
        ...(content !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      body: content === undefined ? body : JSON.stringify(content),
    };
    return this.#call(sent, (answer, answered) => readJson<T>(answer, answered));
  }

  /**
   * Makes a call whose answer is bytes. The time to read them is not bounded, the time between two pieces is.
   * @throws DriveError, the iteration `Unavailable` where it breaks off
   */
  stream(request: Request): Promise<Reply<ByteStream>> {
    return this.#call(request, (body) => byteStream(body, this.#options.name));
  }

  /** Lets no call begin for so many milliseconds: for refusals inside an answer, as in batches. */
  pause(milliseconds: number): void {
    this.#options.observer?.throttled(this.#limiter.pause(milliseconds));
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  async #call<T>(
    request: Request,
    read: (body: Readable, headers: Headers) => Promise<T> | T,
  ): Promise<Reply<T>> {
    const { signal, repeatable = request.method === "GET" || request.method === "HEAD" } = request;
    const { patience = 30_000, attempts = 6, tokens } = this.#options;
    let since = this.#clock.now();
    const deadline = since + patience;
    let unsure = false;
    let tokenRefused = false;
    for (let attempt = 1; ; attempt += 1) {
      if (request.waits === undefined)
        await this.#limiter.take(Math.max(0, deadline - this.#clock.now()), signal);
      const waited = this.#clock.now() - since;
      let outcome: Outcome<T> | Failure;
      let token: string | undefined;
      try {
        if (request.authorized !== false) token = await tokens.get();
        const made = token;
        outcome = await this.#breaker.execute(() => this.#attempt(request, made, read, { attempt, waited }));
      } catch (error) {
        if (error instanceof BrokenCircuitError) throw this.#broken();
        if (!(error instanceof Failure)) throw error;
        outcome = error;
      } finally {
        if (request.waits === undefined) this.#limiter.release();
        since = this.#clock.now();
      }

      if ("reply" in outcome) {
        this.#limiter.succeeded();
        this.#throttled = 0;
        return outcome.reply;
      }
      const last = attempt >= attempts;
      if (outcome instanceof Failure) {
        unsure ||= !outcome.unsent;
        const wait = this.#backOff(attempt);
        const late = this.#clock.now() + wait > deadline;
        if (last || late || (unsure && !repeatable))
          throw unsure ? new LostAnswer(outcome.error.message) : outcome.error;
        await this.#clock.sleep(wait, signal);
        continue;
      }
      const { verdict, refusal } = outcome;
      if (verdict.remedy === "token" && token !== undefined) {
        tokens.refused(token);
        if (tokenRefused) throw verdict.error;
        tokenRefused = true;
        continue;
      }
      if (verdict.remedy !== "wait") throw verdict.error;
      const wait = this.#throttle(refusal);
      if (last || this.#clock.now() + wait > deadline) {
        const { code, message } = verdict.error;
        throw new DriveError(code, message, { retryAfter: wait });
      }
    }
  }

  /** @throws Failure, or what the body and the signal threw */
  async #attempt<T>(
    request: Request,
    token: string | undefined,
    read: (body: Readable, headers: Headers) => Promise<T> | T,
    before: Pick<FinishedCall, "attempt" | "waited">,
  ): Promise<Outcome<T>> {
    const { endpoint, method, url, body, waits, signal, accept } = request;
    const { name, judge, observer } = this.#options;
    const began = performance.now();
    let answered: number | undefined;
    try {
      const response = await this.#transport.send({
        method,
        url,
        headers: {
          ...this.#options.headers,
          ...request.headers,
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        body,
        waits,
        signal,
      });
      const { status, headers } = response;
      if ((status >= 200 && status < 300) || accept?.includes(status)) {
        const reply = { status, headers, body: await read(response.body, headers) };
        answered = status;
        return { reply };
      }
      const text = await readText(response.body, headers);
      answered = status;
      const refusal: Refusal = { endpoint, status, headers, text, json: parse(text) };
      const verdict = judge(refusal);
      if (verdict.remedy === "repeat") throw new Failure(verdict.error);
      return { refusal, verdict };
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof NetworkError)) throw error;
      const how = error.unsent ? "cannot be reached" : `did not answer ${endpoint}`;
      throw new Failure(new DriveError("Unavailable", `${name} ${how} (${error.code})`), error.unsent);
    } finally {
      observer?.called({ endpoint, status: answered, milliseconds: performance.now() - began, ...before });
    }
  }

  /** Full jitter: anything up to a bound that doubles with each attempt. */
  #backOff(attempt: number): number {
    const { random = Math.random } = this.#options;
    return random() * Math.min(longestWait, firstWait * 2 ** (attempt - 1));
  }

  /** Pauses the drive as the service asks, or for ever longer where it does not say how long. */
  #throttle({ headers }: Refusal): number {
    this.#throttled += 1;
    const wait = retryAfter(headers, this.#clock.now()) ?? firstWait + this.#backOff(this.#throttled);
    this.pause(wait);
    return wait;
  }

  #broken(): DriveError {
    const { name } = this.#options;
    return new DriveError(
      "Unavailable",
      `${name} has failed again and again and is left alone for a while.`,
      {
        retryAfter: this.#breakerPause,
      },
    );
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
