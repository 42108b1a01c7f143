import { DriveError } from "../drive.ts";
import { HttpClient, judgeStatus } from "../remote/http/index.ts";
import type { AccessTokens } from "../remote/tokens.ts";
import { encodeSegment, vendorName } from "./client.ts";
import type { DriveType } from "./options.ts";

/** A drive that who is signed in may use. */
export interface FoundDrive {
  readonly id: string;
  readonly type: DriveType;
  /** For people: its name, and the site that it belongs to. */
  readonly name: string;
}

export interface FindDrivesOptions {
  readonly tokens: AccessTokens;
  /** Graph with its version, without a slash at the end. */
  readonly url: string;
  /** A SharePoint site: its address, or words of its name. The user's own drives where not given. */
  readonly site?: string;
}

interface Drive {
  readonly id: string;
  readonly driveType: DriveType;
  readonly name?: string;
}

interface Site {
  readonly id: string;
  readonly displayName?: string;
}

const mostSites = 10;

/**
 * The drives to choose from, the user's main one first.
 * @throws DriveError `NotFound` where there is none
 */
export async function findDrives({ tokens, url, site }: FindDrivesOptions): Promise<FoundDrive[]> {
  const http = new HttpClient({
    name: vendorName,
    tokens,
    judge: (refusal) => judgeStatus(vendorName, refusal, messageOf(refusal.json)),
  });
  const get = async <T>(endpoint: string, path: string) =>
    (await http.json<T>({ endpoint, method: "GET", url: `${url}${path}` })).body;
  try {
    const found = site === undefined ? await ownDrives(get) : await siteDrives(get, site);
    if (found.length === 0)
      throw new DriveError("NotFound", site ? `There is no SharePoint site "${site}"` : "There is no drive");
    return found;
  } finally {
    await http.close();
  }
}

type Get = <T>(endpoint: string, path: string) => Promise<T>;

async function ownDrives(get: Get): Promise<FoundDrive[]> {
  const main = await get<Drive>("GET drive", "/me/drive");
  const { value } = await get<{ value: Drive[] }>("GET drives", "/me/drives");
  return [main, ...value.filter(({ id }) => id !== main.id)].map((drive) => foundDrive(drive));
}

async function siteDrives(get: Get, site: string): Promise<FoundDrive[]> {
  const found: FoundDrive[] = [];
  for (const { id, displayName } of await sites(get, site)) {
    const { value } = await get<{ value: Drive[] }>("GET site drives", `/sites/${encodeSegment(id)}/drives`);
    for (const drive of value) found.push(foundDrive(drive, displayName));
  }
  return found;
}

async function sites(get: Get, site: string): Promise<Site[]> {
  const address = /^https:\/\/([^/]+)\/?(.*?)\/?$/.exec(site);
  if (!address) {
    const { value } = await get<{ value: Site[] }>("GET sites", `/sites?search=${encodeSegment(site)}`);
    return value.slice(0, mostSites);
  }
  const [, host = "", path = ""] = address;
  const below = path === "" ? "" : `:/${path}`;
  return [await get<Site>("GET site", `/sites/${host}${below}`)];
}

function foundDrive({ id, driveType, name }: Drive, site?: string): FoundDrive {
  const shown = [site, name ?? id].filter(Boolean).join(": ");
  return { id, type: driveType, name: `${shown} (${driveType})` };
}

const messageOf = (json: unknown) =>
  (json as { error?: { message?: string } } | undefined)?.error?.message ?? "";
