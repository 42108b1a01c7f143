import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, vi } from "vitest";
import type { CommitOptions, Drive } from "../drive.ts";
import { MemoryVendor } from "./memory-vendor.ts";
import { type RemoteDrive, type RemoteDriveOptions, remoteDrive } from "./remote-drive.ts";
import type { Traits } from "./vendor.ts";

/** A vendor in memory and drives on it, which share a data folder as processes do. */
export class Stage implements AsyncDisposable {
  readonly vendor: MemoryVendor;
  readonly data = mkdtempSync(join(os.tmpdir(), "overcoat-remote-"));
  readonly #open: Drive[] = [];

  constructor(traits: Partial<Traits> = {}) {
    this.vendor = new MemoryVendor(traits);
  }

  /** Opens the drive without waiting for anything. */
  async opened(options: Partial<RemoteDriveOptions> = {}): Promise<RemoteDrive> {
    const drive = await remoteDrive(this.vendor, { data: this.data, pollInterval: 3_600_000, ...options });
    this.#open.push(drive);
    return drive;
  }

  /** Opens the drive and waits until all of it is known. */
  async synced(options?: Partial<RemoteDriveOptions>): Promise<RemoteDrive> {
    const drive = await this.opened(options);
    await vi.waitFor(() => expect(drive.progress().done).toBe(true));
    if (this.vendor.traits.propertiesLimit === 0)
      await vi.waitFor(async () => expect(await drive.stat(".overcoat/properties")).toBeDefined());
    this.vendor.calls = [];
    return drive;
  }

  /** Opens the drive while its feed fails. */
  async live(options?: Partial<RemoteDriveOptions>): Promise<RemoteDrive> {
    this.vendor.before = (call) => {
      if (call === "changes") throw new Error("no feed");
    };
    const drive = await this.opened(options);
    this.vendor.calls = [];
    return drive;
  }

  async close(): Promise<void> {
    for (const drive of this.#open.splice(0)) await drive.close();
  }

  /** Closes the drives and forgets all that was known of the vendor's. */
  async forget(): Promise<void> {
    await this.close();
    rmSync(this.data, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.forget();
  }
}

export async function put(
  drive: Drive,
  path: string,
  body: string | Buffer,
  properties = "p",
  options: CommitOptions = { derivable: true },
) {
  const bytes = Buffer.from(body);
  const pending = await drive.create(path, { ...options, size: bytes.length });
  try {
    for (let at = 0; at < bytes.length; at += 10_000) await pending.write(bytes.subarray(at, at + 10_000));
    return await pending.commit(properties, options);
  } catch (error) {
    await pending.discard();
    throw error;
  }
}

export async function get(drive: Drive, path: string): Promise<string | undefined> {
  const file = await drive.open(path);
  if (!file) return undefined;
  try {
    return await text(file.readChunks(0, file.described.entry.size));
  } finally {
    await file.close();
  }
}

export async function names(drive: Drive, folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const page of drive.list(folder)) found.push(...page.map(({ name, kind }) => `${kind} ${name}`));
  return found.sort();
}
