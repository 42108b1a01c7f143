import { DriveError } from "../drive.ts";
import { type DriveClient, isCode, type Query } from "./client.ts";
import { type DriveFile, fileFields } from "./items.ts";

interface FileList {
  readonly files?: readonly DriveFile[];
  readonly nextPageToken?: string;
}

/** A page of what lies in some folders. */
export interface FilePage {
  readonly files: readonly DriveFile[];
  readonly next: string | undefined;
}

/** Most folders that one search asks for: more make the query too long. */
export const mostFolders = 50;

/** Searches of files, in My Drive or in one shared drive. */
export class Listing {
  readonly #client: DriveClient;
  readonly #pageSize: string;
  /** Set once the drive that is served is known. */
  sharedDrive: string | undefined;

  constructor(client: DriveClient, pageSize = 1000) {
    this.#client = client;
    this.#pageSize = String(pageSize);
  }

  /** What says which drive is meant, in searches and in the feed. */
  get scope(): Query {
    return { includeItemsFromAllDrives: "true", driveId: this.sharedDrive };
  }

  /** What is in one of the folders, by page. Folders that are gone have nothing in them. */
  async page(folders: readonly string[], next: string | undefined, signal?: AbortSignal): Promise<FilePage> {
    const parents = folders.map((id) => `${quoted(id)} in parents`).join(" or ");
    return this.#search(folders.length === 1 ? parents : `(${parents})`, next, signal);
  }

  /** Items of a folder whose name is one of these, in whatever case. */
  async named(folder: string, names: readonly string[], signal?: AbortSignal): Promise<readonly DriveFile[]> {
    const either = names.map((name) => `name = ${quoted(name)}`).join(" or ");
    const found: DriveFile[] = [];
    let next: string | undefined;
    do {
      const page = await this.#search(`${quoted(folder)} in parents and (${either})`, next, signal);
      found.push(...page.files);
      next = page.next;
    } while (next !== undefined);
    return found;
  }

  async #search(terms: string, next: string | undefined, signal: AbortSignal | undefined): Promise<FilePage> {
    const url = this.#client.v3("files", {
      ...this.scope,
      corpora: this.sharedDrive === undefined ? undefined : "drive",
      q: `${terms} and trashed = false`,
      pageSize: this.#pageSize,
      pageToken: next,
      fields: `nextPageToken,incompleteSearch,files(${fileFields})`,
    });
    try {
      const { body } = await this.#client.http.json<FileList & { incompleteSearch?: boolean }>({
        endpoint: "GET files",
        method: "GET",
        url,
        signal,
      });
      if (body.incompleteSearch)
        throw new DriveError("Unavailable", "Google Drive did not search everywhere");
      return { files: body.files ?? [], next: body.nextPageToken };
    } catch (error) {
      if (isCode(error, "NotFound")) return { files: [], next: undefined };
      throw error;
    }
  }
}

/** A text in the query language. */
const quoted = (text: string) => `'${text.replace(/[\\']/g, "\\$&")}'`;
