import { DriveError, type DriveErrorCode } from "../drive.ts";
import {
  type ByteStream,
  type Clock,
  HttpClient,
  judgeStatus,
  type Refusal,
  type Reply,
  type Request,
  type RequestBody,
  systemClock,
  type Verdict,
} from "../remote/http/index.ts";
import type { DropboxOptions } from "./options.ts";

export const vendorName = "Dropbox";

/** A member of a union as the API writes it. */
export interface Tagged {
  readonly ".tag"?: string;
  readonly [field: string]: unknown;
}

/** A refusal of a route itself, whose tags say what it is about, from the outside in. */
export class RouteError extends DriveError {
  readonly tags: readonly string[];
  /** How many bytes an upload session has, where an offset was wrong. */
  readonly correctOffset: number | undefined;

  constructor(code: DriveErrorCode, message: string, tags: readonly string[], correctOffset?: number) {
    super(code, message);
    this.tags = tags;
    this.correctOffset = correctOffset;
  }

  /** Whether these tags follow each other in the error. */
  is(...tags: string[]): boolean {
    return `/${this.tags.join("/")}/`.includes(`/${tags.join("/")}/`);
  }
}

type CallOptions = Pick<Request, "repeatable" | "signal" | "waits" | "authorized">;

/** Calls of Dropbox's API v2. */
export class DropboxClient {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly #hosts: { readonly api: string; readonly content: string; readonly notify: string };
  readonly #options: DropboxOptions;
  #root: Promise<string | undefined> | undefined;

  constructor(options: DropboxOptions) {
    const { tokens, url, contentUrl, notifyUrl, http } = options;
    this.#options = options;
    this.#hosts = {
      api: url ?? "https://api.dropboxapi.com",
      content: contentUrl ?? "https://content.dropboxapi.com",
      notify: notifyUrl ?? "https://notify.dropboxapi.com",
    };
    this.clock = http?.clock ?? systemClock;
    this.http = new HttpClient({ ...http, name: vendorName, tokens, judge });
  }

  /** Calls a route that takes JSON, null where it takes nothing. @throws DriveError, RouteError */
  async rpc<T>(route: string, argument: unknown, options: CallOptions = {}): Promise<T> {
    const host = options.authorized === false ? this.#hosts.notify : this.#hosts.api;
    const { body } = await this.http.json<T>({
      ...options,
      endpoint: route,
      method: "POST",
      url: `${host}/2/${route}`,
      headers: options.authorized === false ? {} : await this.#headers(),
      content: argument,
    });
    return body;
  }

  /** Calls a route that takes bytes. @throws DriveError, RouteError */
  async upload<T>(
    route: string,
    argument: unknown,
    body: RequestBody,
    options: CallOptions = {},
  ): Promise<T> {
    const reply = await this.http.json<T>({
      ...options,
      endpoint: route,
      method: "POST",
      url: `${this.#hosts.content}/2/${route}`,
      headers: {
        "content-type": "application/octet-stream",
        "dropbox-api-arg": headerJson(argument),
        ...(await this.#headers()),
      },
      body,
    });
    return reply.body;
  }

  /** Calls a route that gives bytes. @param range such as `bytes=0-9` @throws DriveError, RouteError */
  async download(
    route: string,
    argument: unknown,
    range: string | undefined,
    signal?: AbortSignal,
  ): Promise<Reply<ByteStream>> {
    return this.http.stream({
      endpoint: route,
      method: "POST",
      url: `${this.#hosts.content}/2/${route}`,
      headers: {
        "dropbox-api-arg": headerJson(argument),
        ...(range !== undefined && { range }),
        ...(await this.#headers()),
      },
      repeatable: true,
      signal,
    });
  }

  /** Where paths begin. */
  async #headers(): Promise<Record<string, string>> {
    const { rootNamespace, folder } = this.#options;
    let namespace = rootNamespace;
    if (namespace === undefined && folder?.startsWith("/")) {
      this.#root ??= this.#teamRoot().catch((error) => {
        this.#root = undefined;
        throw error;
      });
      namespace = await this.#root;
    }
    if (namespace === undefined) return {};
    const root = { ".tag": "namespace_id", namespace_id: namespace };
    return { "dropbox-api-path-root": headerJson(root) };
  }

  async #teamRoot(): Promise<string> {
    const { body } = await this.http.json<{ root_info: { root_namespace_id: string } }>({
      endpoint: "users/get_current_account",
      method: "POST",
      url: `${this.#hosts.api}/2/users/get_current_account`,
      repeatable: true,
    });
    return body.root_info.root_namespace_id;
  }
}

/** Bytes that the argument of a call may have in a header. */
const largestHeader = 7000;

export const fitsHeader = (argument: unknown) => headerJson(argument).length <= largestHeader;

/** JSON for a header, which must be plain ASCII. */
function headerJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const meanings: Readonly<Record<string, DriveErrorCode>> = {
  not_found: "NotFound",
  not_file: "IsAFolder",
  not_folder: "NotAFolder",
  file: "Exists",
  folder: "IsAFolder",
  file_ancestor: "NotAFolder",
  malformed_path: "NameRefused",
  disallowed_name: "NameRefused",
  insufficient_space: "NoSpace",
  insufficient_quota: "NoSpace",
  no_write_permission: "AccessDenied",
  access_restricted: "AccessDenied",
  restricted_content: "AccessDenied",
  operation_suppressed: "AccessDenied",
  team_folder: "AccessDenied",
  locked: "AccessDenied",
  missing_scope: "AccessDenied",
  no_permission: "AccessDenied",
  invalid_root: "NotFound",
  too_large: "TooLarge",
  payload_too_large: "TooLarge",
  reset: "Gone",
};

/** Tags of a service that wants fewer calls, or one commit after the other: nothing was done. */
const busy = new Set(["too_many_write_operations", "too_many_requests"]);
/** Tags of a service that fails. */
const failing = new Set(["internal_error", "in_progress", "retry_error"]);

/** What Dropbox's errors mean: the innermost tag says most. */
export function judge(refusal: Refusal): Verdict {
  const { status, text } = refusal;
  const json = refusal.json as { error_summary?: string; error?: Tagged } | undefined;
  const tags = tagsOf(json?.error);
  const reason = json?.error_summary?.replace(/\/\.*$/, "") ?? text;
  const known = tags.map((tag) => meanings[tag]).findLast((code) => code !== undefined);
  if (status === 409 || status === 422) {
    const throttled = tags.some((tag) => busy.has(tag));
    const failed = tags.some((tag) => failing.has(tag));
    const code = throttled ? "Throttled" : (known ?? "Unavailable");
    const { message } = judgeStatus(vendorName, refusal, reason, code).error;
    const error = new RouteError(code, message, tags, correctOffset(json?.error));
    if (throttled) return { error, remedy: "wait" };
    return failed ? { error, remedy: "repeat" } : { error };
  }
  if (status === 401 && tags.includes("missing_scope")) {
    const scope = String(json?.error?.required_scope ?? "");
    const message = `Dropbox grants no "${scope}": add it to the app's permissions and sign in anew.`;
    return { error: new DriveError("AccessDenied", message) };
  }
  if (status === 400) {
    // A fault of ours but for paths, which others chose.
    const code = /\bpath\b/.test(text) ? "NameRefused" : "Unavailable";
    const { message } = judgeStatus(vendorName, refusal, reason, code).error;
    return { error: new RouteError(code, message, []) };
  }
  return judgeStatus(vendorName, refusal, reason, known);
}

function tagsOf(error: Tagged | undefined): string[] {
  const tags: string[] = [];
  for (let at = error; at !== undefined && tags.length < 10; ) {
    const tag: string | undefined = at[".tag"];
    if (tag === undefined) break;
    tags.push(tag);
    const inner: unknown = at[tag] ?? at.reason;
    at = typeof inner === "object" && inner !== null ? (inner as Tagged) : undefined;
  }
  return tags;
}

function correctOffset(error: Tagged | undefined): number | undefined {
  const inner = (error?.lookup_failed ?? error) as Tagged | undefined;
  return typeof inner?.correct_offset === "number" ? inner.correct_offset : undefined;
}

/** The refusal that an entry of a batch holds. */
export function entryError(endpoint: string, error: Tagged): Verdict {
  const summary = tagsOf(error).join("/");
  return judge({
    endpoint,
    status: 409,
    headers: {},
    text: summary,
    json: { error_summary: `${summary}/`, error },
  });
}
