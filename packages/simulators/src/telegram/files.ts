import { randomBytes } from "node:crypto";
import type { Document } from "./chats.ts";
import { badRequest } from "./errors.ts";

/** What `getFile` gives bots: at most 20 MB, as Telegram documents. */
const mostFetched = 20 * 1024 * 1024;

interface Kept {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly document: Document;
}

/** The files that were sent, by id. */
export class Files {
  readonly #files = new Map<string, Kept>();

  keep(name: string | undefined, type: string, bytes: Uint8Array, size = bytes.length): Document {
    const file_id = randomBytes(24).toString("base64url");
    const document: Document = {
      file_id,
      file_unique_id: file_id.slice(0, 12),
      ...(name !== undefined && { file_name: name }),
      mime_type: type || "application/octet-stream",
      file_size: size,
    };
    const path = `documents/file_${this.#files.size}`;
    this.#files.set(file_id, { path, bytes, document });
    return document;
  }

  /** The answer of `getFile`. @throws BotApiError */
  describe(id: string | undefined) {
    const kept = id === undefined ? undefined : this.#files.get(id);
    if (!kept) throw badRequest("invalid file_id");
    const { file_unique_id, file_size } = kept.document;
    if (file_size > mostFetched) throw badRequest("file is too big");
    return { file_id: id, file_unique_id, file_size, file_path: kept.path };
  }

  bytes(id: string): Uint8Array | undefined {
    return this.#files.get(id)?.bytes;
  }

  at(path: string): Uint8Array | undefined {
    return [...this.#files.values()].find((kept) => kept.path === path)?.bytes;
  }
}
