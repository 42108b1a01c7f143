import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Fault } from "@overcoat/simulators";
import { describe, expect, test, vi } from "vitest";
import { openStage, type Stage } from "./stage.ts";
import { type DriveUnderTest, drives } from "./stand-ins.ts";

/** Where an upload is when its process is killed: the kind of call that is under way, and which of them. */
const phases: readonly {
  readonly what: "small" | "large";
  readonly key: "old" | "new";
  readonly kind: keyof Pick<DriveUnderTest["calls"], "upload" | "begin" | "fragment">;
  readonly after: number;
}[] = [
  { what: "small", key: "old", kind: "upload", after: 0 },
  { what: "small", key: "new", kind: "upload", after: 0 },
  { what: "large", key: "old", kind: "begin", after: 0 },
  { what: "large", key: "new", kind: "fragment", after: 0 },
  { what: "large", key: "old", kind: "fragment", after: 2 },
  { what: "large", key: "old", kind: "fragment", after: 3 },
];

/** Puts an object in a process of its own, which is killed when the fault has met its call. */
async function putAndKill(made: Stage, key: string, bytes: Buffer, fault: Fault): Promise<void> {
  const file = join(made.folder, "bytes");
  await writeFile(file, bytes);
  made.server.fault(fault);
  const program = join(import.meta.dirname, "put.ts");
  const child = spawn(process.execPath, [program, made.folder, key, file], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = once(child, "exit");
  try {
    await vi.waitFor(
      () => {
        expect(child.exitCode).toBe(null);
        expect(made.server.faults).toEqual([]);
      },
      { timeout: 100_000, interval: 10 },
    );
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

describe.each(Object.entries(drives))("%s", (_, drive) => {
  test.each(phases)(
    "a kill while a $what object goes up ($key, $kind, after $after) leaves what was there",
    async (phase) => {
      const { what, key, kind, after } = phase;
      await using made = await openStage(drive, { files: { old: "before" } });
      const before = await made.state(key);
      // Under way, and never done.
      await putAndKill(made, key, made[what], { on: drive.calls[kind], after, delay: 600_000 });
      for (const again of [false, true]) {
        if (again) await made.reopen();
        expect(await made.state(key)).toEqual(before);
        expect(await made.keys()).toEqual(["old"]);
      }
      expect(made.leftSessions).toBe(0);
      await made.put(key, made[what]);
      expect(await made.get(key)).toEqual(made[what]);
    },
  );

  test.each([
    { what: "small" as const, kind: "upload" as const, after: 0 },
    { what: "large" as const, kind: "fragment" as const, after: 3 },
  ])("a kill after a $what object has arrived leaves the old one or the new one, whole", async (phase) => {
    const { what, kind, after } = phase;
    await using made = await openStage(drive, { files: { old: "before" } });
    await putAndKill(made, "old", made[what], { on: drive.calls[kind], after, loseAnswer: true });
    await made.reopen();
    await made.synced();
    const whole = async () => {
      const bytes = await made.get("old");
      expect(bytes.toString() === "before" || bytes.equals(made[what])).toBe(true);
      return bytes.length;
    };
    const first = await whole();
    const { size } = await made.objects.headObject("bucket", "old");
    // The drive may take the object in after the kill, and so between the two calls.
    expect(first === size ? first : await whole()).toBe(size);
    expect(await made.keys()).toEqual(["old"]);
    expect(made.leftSessions).toBe(0);
  });
});
