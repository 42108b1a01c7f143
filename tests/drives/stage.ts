import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Objects } from "@overcoat/objects";
import type { DriveStandIn, StandInOptions } from "@overcoat/simulators";
import { expect, vi } from "vitest";
import { bucket, openStageObjects } from "./stage-objects.ts";
import type { DriveUnderTest, RunningStandIn } from "./stand-ins.ts";

/** A stand-in of a drive, and objects on it as a gateway has them. */
export interface Stage extends AsyncDisposable, RunningStandIn {
  readonly drive: DriveUnderTest;
  readonly server: DriveStandIn;
  readonly objects: Objects;
  /** Files for `openStageObjects` in a process of its own. */
  readonly folder: string;
  /** Bytes that go up in one call, and in several. */
  readonly small: Buffer;
  readonly large: Buffer;
  put(key: string, bytes: Uint8Array): Promise<unknown>;
  /** The bytes of an object. */
  get(key: string): Promise<Buffer>;
  /** What a get gives: the bytes, or the code of the error. */
  state(key: string): Promise<Buffer | string>;
  keys(): Promise<string[]>;
  /** Upload sessions that are open although they could be given up. */
  readonly leftSessions: number;
  /** Waits until all of the drive is known. */
  synced(): Promise<void>;
  /** Ends the objects in order and opens them anew. */
  reopen(): Promise<void>;
}

/** Waits until `look` throws no more. Other than `expect.poll` it can be used in tests that run side by side. */
export const eventually = (look: () => Promise<void> | void) =>
  vi.waitFor(look, { timeout: 20_000, interval: 50 });

export interface StageOptions extends StandInOptions {
  readonly files?: Readonly<Record<string, string>>;
  /** Milliseconds between two questions for changes; 100 where not given. */
  readonly pollInterval?: number;
}

export async function openStage(
  drive: DriveUnderTest,
  { files, pollInterval, ...options }: StageOptions = {},
): Promise<Stage> {
  const inBucket = Object.entries(files ?? {}).map(([path, text]) => [`${bucket}/${path}`, text] as const);
  const running = await drive.start({ ...options, files: [[bucket, null], ...inBucket] });
  const folder = await mkdtemp(join(tmpdir(), "overcoat-drives-"));
  const keys = Object.entries(drive.fragments.options).map(([key, value]) => `${key} = ${value}\n`);
  const { server } = running;
  await writeFile(join(folder, "rclone.conf"), `${server.rcloneSection("remote")}${keys.join("")}`);
  let opened = await openStageObjects(folder, pollInterval);
  const { size } = drive.fragments;
  const get = async (key: string) => {
    await using object = await opened.objects.getObject(bucket, key);
    return Buffer.concat((await Array.fromAsync(object.readChunks())).map((chunk) => Buffer.from(chunk)));
  };
  return {
    ...running,
    drive,
    folder,
    small: randomBytes(1000),
    large: randomBytes(3 * size + 1000),
    get objects() {
      return opened.objects;
    },
    put: (key, bytes) => opened.objects.putObject(bucket, key, bytes),
    get,
    state: (key) => get(key).catch((error) => error.code ?? error),
    async keys() {
      return (await opened.objects.listObjects(bucket)).objects.map(({ key }) => key);
    },
    get leftSessions() {
      return drive.cancels ? server.openSessions : 0;
    },
    async synced() {
      await eventually(() => expect(opened.drive.progress().done).toBe(true));
    },
    async reopen() {
      await opened.objects.close();
      opened = await openStageObjects(folder, pollInterval);
    },
    async [Symbol.asyncDispose]() {
      await opened.objects.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
