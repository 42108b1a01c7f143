import type { DriveErrorCode } from "../drive.ts";
import {
  type Clock,
  HttpClient,
  judgeStatus,
  type Refusal,
  systemClock,
  type Verdict,
} from "../remote/http/index.ts";
import { type DriveItem, selectOne } from "./items.ts";
import type { DriveType, OneDriveOptions } from "./options.ts";

export const vendorName = "OneDrive";

/** Calls of one drive of Microsoft Graph v1.0. */
export class GraphClient {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly driveType: DriveType;
  readonly driveId: string;
  /** The address of Graph itself, and of the drive. */
  readonly url: string;
  readonly drive: string;

  constructor({
    tokens,
    driveId,
    driveType,
    url = "https://graph.microsoft.com/v1.0",
    http,
  }: OneDriveOptions) {
    this.driveId = driveId;
    this.driveType = driveType;
    this.url = url;
    this.drive = `${url}/drives/${encodeSegment(driveId)}`;
    this.clock = http?.clock ?? systemClock;
    this.http = new HttpClient({
      ...http,
      name: vendorName,
      tokens,
      judge,
      headers: { "user-agent": "NONISV|Overcoat|Overcoat/0.1", ...http?.headers },
    });
  }

  /** The address of an item. */
  byId(id: string): string {
    return `${this.drive}/items/${encodeSegment(id)}`;
  }

  /** The address of what lies below a folder at these names; what it is asked for follows it. */
  byPath(folder: string, names: readonly string[]): string {
    return names.length === 0
      ? this.byId(folder)
      : `${this.byId(folder)}:/${names.map(encodeSegment).join("/")}:`;
  }

  /** The item at an address as it is now; undefined where there is none. */
  async item(url: string, signal?: AbortSignal): Promise<DriveItem | undefined> {
    const address = `${url}?${selectOne}`;
    const accept = [404];
    const { status, body } = await this.http.json<DriveItem>({
      endpoint: "GET item",
      method: "GET",
      url: address,
      accept,
      signal,
    });
    return status === 404 || body.deleted ? undefined : body;
  }
}

/** Encodes a segment of an address, quotes and parentheses too, which mean something to OData. */
export const encodeSegment = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

interface GraphError {
  readonly code?: string;
  readonly message?: string;
  readonly innerError?: GraphError;
  readonly innererror?: GraphError;
}

const meanings: Readonly<Record<string, DriveErrorCode>> = {
  accessDenied: "AccessDenied",
  itemNotFound: "NotFound",
  malwareDetected: "AccessDenied",
  nameAlreadyExists: "Exists",
  pathIsTooLong: "NameRefused",
  quotaLimitReached: "NoSpace",
  insufficientStorage: "NoSpace",
  resourceModified: "Changed",
};

/** What Graph's error codes mean, the innermost first, for it says most. */
export function judge(refusal: Refusal): Verdict {
  const { status, text } = refusal;
  const codes: string[] = [];
  const outer = (refusal.json as { error?: GraphError } | undefined)?.error;
  for (let error = outer; error; error = error.innerError ?? error.innererror)
    if (error.code) codes.unshift(error.code);
  const message = outer?.message ?? text;
  const reason = `${outer?.code ?? ""} ${message}`.trim();
  const known = codes.map((code) => meanings[code]).find((code) => code !== undefined);
  if (status === 400) {
    const refused = /\b(name|path)\b/i.test(message) ? "NameRefused" : undefined;
    return judgeStatus(vendorName, refusal, reason, known ?? refused);
  }
  if (status === 416) return judgeStatus(vendorName, refusal, reason, "Changed");
  const verdict = judgeStatus(vendorName, refusal, reason, known);
  // A fault of theirs that looks like one of ours.
  if (status === 401 && message.includes("Unable to initialize RPS"))
    return { error: judgeStatus(vendorName, refusal, reason, "Unavailable").error, remedy: "repeat" };
  return verdict;
}
