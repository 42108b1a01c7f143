import { DriveError, type DriveErrorCode } from "../drive.ts";
import { HttpClient, judgeStatus, type Refusal, type Verdict } from "../remote/http/index.ts";
import type { GoogleDriveOptions } from "./options.ts";

export const vendorName = "Google Drive";

/** Calls of Google Drive's API: version 3, and version 2 for conditions, which 3 does not have. */
export class DriveClient {
  readonly http: HttpClient;
  readonly #url: string;

  constructor({ tokens, url = "https://www.googleapis.com", http }: GoogleDriveOptions) {
    this.#url = url;
    this.http = new HttpClient({
      ...http,
      name: vendorName,
      tokens,
      judge,
      headers: { "user-agent": "Overcoat/0.1 (gzip)", ...http?.headers },
    });
  }

  /** The address of a method below `/drive/v3/`. Shared drives are asked for in any case. */
  v3(path: string, query: Query = {}): string {
    return this.#address(`/drive/v3/${path}`, query);
  }

  v2(path: string, query: Query = {}): string {
    return this.#address(`/drive/v2/${path}`, query);
  }

  /** The address of a method that takes bytes. @param path such as `v3/files` */
  upload(path: string, query: Query): string {
    return this.#address(`/upload/drive/${path}`, query);
  }

  get batch(): string {
    return `${this.#url}/batch/drive/v3`;
  }

  #address(path: string, query: Query): string {
    const all = Object.entries({ ...query, supportsAllDrives: "true" });
    const given = all.filter((pair): pair is [string, string] => pair[1] !== undefined);
    return `${this.#url}${path}?${new URLSearchParams(given)}`;
  }
}

export type Query = Readonly<Record<string, string | undefined>>;

interface Cause {
  readonly reason?: string;
  readonly location?: string;
}

interface ApiError {
  readonly message?: string;
  readonly errors?: readonly Cause[];
  readonly details?: readonly Cause[];
}

const meanings: Readonly<Record<string, DriveErrorCode>> = {
  storagequotaexceeded: "NoSpace",
  teamdrivefilelimitexceeded: "NoSpace",
  numchildreninnonrootlimitexceeded: "NoSpace",
  activeitemcreationlimitexceeded: "NoSpace",
  mydrivehierarchydepthlimitexceeded: "NameRefused",
  teamdrivehierarchytoodeep: "NameRefused",
  dailylimitexceeded: "Throttled",
  quotaexceeded: "Throttled",
  downloadquotaexceeded: "Throttled",
  uploadquotaexceeded: "Throttled",
  filelimitexceeded: "TooLarge",
  conditionnotmet: "Changed",
  fileidinuse: "Exists",
};

/** Where calls are too many for the moment: the service did nothing, and waiting helps. */
const passing = new Set(["ratelimitexceeded", "userratelimitexceeded", "sharingratelimitexceeded"]);

/**
 * What a refusal means: Google says it by a reason, of which some share the status 403, and which newer parts of the
 * service spell in another way (`RATE_LIMIT_EXCEEDED`).
 */
export function judge(refusal: Refusal): Verdict {
  const { status, json, text } = refusal;
  const error = (json as { error?: ApiError } | undefined)?.error;
  const cause = error?.errors?.[0] ?? error?.details?.find((each) => each.reason);
  const { reason = "", location } = cause ?? {};
  const folded = reason.replace(/_/g, "").toLowerCase();
  const said = `${reason} ${error?.message ?? text}`;
  if (passing.has(folded)) return { ...judgeStatus(vendorName, refusal, said, "Throttled"), remedy: "wait" };
  const meaning = meanings[folded];
  // Quotas of a day are not waited for.
  if (meaning !== undefined) return { error: judgeStatus(vendorName, refusal, said, meaning).error };
  if (status === 400 && location === "pageToken")
    return { error: judgeStatus(vendorName, refusal, said, "Gone").error };
  if (status === 416) return judgeStatus(vendorName, refusal, said, "Changed");
  return judgeStatus(vendorName, refusal, said);
}

export const isCode = (error: unknown, code: DriveError["code"]) =>
  error instanceof DriveError && error.code === code;
