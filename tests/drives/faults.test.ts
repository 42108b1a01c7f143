import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "@overcoat/simulators";
import { describe, expect, test } from "vitest";
import { eventually, openStage } from "./stage.ts";
import { drives } from "./stand-ins.ts";

/** What goes wrong with calls of a kind, and passes. */
const passing: Readonly<Record<string, Omit<Fault, "on">>> = {
  "429 with Retry-After": { status: 429, headers: { "retry-after": "0.2" }, times: 2 },
  "429 with a date": { status: 429, headers: { "retry-after": new Date(0).toUTCString() } },
  "503": { status: 503, times: 2 },
  "500": { status: 500 },
  "a lost answer": { loseAnswer: true },
};
const passingUploads = {
  ...passing,
  "a connection that is reset in the body": { resetRequestAt: 500 },
  "a connection that is reset before the body": { resetRequestAt: 0 },
};
const passingDownloads = {
  ...passing,
  "an address that has ended": { status: 401 },
  "a connection that is reset in the body": { resetResponseAt: 500 },
  "a connection that is reset again and again": { resetResponseAt: 300, times: 2 },
  "a body that is cut short": { truncateAt: 400 },
};

describe.concurrent.each(Object.entries(drives))("%s", (_, drive) => {
  describe.each([
    { what: "small", kind: "upload" as const, after: 0 },
    { what: "large", kind: "begin" as const, after: 0 },
    { what: "large", kind: "fragment" as const, after: 0 },
    { what: "large", kind: "fragment" as const, after: 3 },
  ])("a $what object goes up ($kind, after $after)", ({ what, kind, after }) => {
    test.each(Object.entries(passingUploads))("through %s", async (name, fault) => {
      await using made = await openStage(drive);
      const bytes = what === "small" ? made.small : made.large;
      await made.put("key", made.small);
      made.server.fault({ ...fault, on: drive.calls[kind], after });
      await made.put("key", bytes);
      expect(made.server.faults).toEqual([]);
      expect(await made.get("key")).toEqual(bytes);
      expect(await made.keys()).toEqual(["key"]);
      // A session whose address was lost cannot be given up.
      const lost = drive.cancels && kind === "begin" && name === "a lost answer" ? 1 : 0;
      expect(made.leftSessions).toBe(lost);
      await made.reopen();
      expect(await made.get("key")).toEqual(bytes);
    });
  });

  test("an upload whose session is gone is begun anew", async () => {
    await using made = await openStage(drive);
    made.server.fault({ on: drive.calls.fragment, after: 1, delay: 300 });
    const put = made.put("key", made.large);
    await eventually(() => expect(made.server.faults).toEqual([]));
    await made.server.dropSessions();
    await put;
    expect(await made.get("key")).toEqual(made.large);
    expect(await made.keys()).toEqual(["key"]);
  });

  test.each([
    { what: "small", kind: "upload" as const },
    { what: "large", kind: "fragment" as const },
  ])("a $what object that does not arrive leaves the old one ($kind)", async ({ what, kind }) => {
    await using made = await openStage(drive, { files: { key: "before" } });
    const bytes = what === "small" ? made.small : made.large;
    for (const fault of [{ resetRequestAt: 1 }, { status: 403 }]) {
      made.server.fault({ ...fault, on: drive.calls[kind], times: 1000 });
      await expect(made.put("key", bytes)).rejects.toThrow();
      await expect(made.put("other", bytes)).rejects.toThrow();
      made.server.clearFaults();
      expect((await made.get("key")).toString()).toBe("before");
      expect(await made.keys()).toEqual(["key"]);
      expect(made.leftSessions).toBe(0);
    }
    await made.put("key", bytes);
    expect(await made.get("key")).toEqual(bytes);
  });

  describe("an object is read", () => {
    test.each(Object.entries(passingDownloads))("through %s", async (_, fault) => {
      await using made = await openStage(drive);
      await made.put("key", made.large);
      made.server.fault({ ...fault, on: drive.calls.download });
      expect(await made.get("key")).toEqual(made.large);
      await using object = await made.objects.getObject("bucket", "key");
      made.server.fault({ ...fault, on: drive.calls.download });
      expect(await object.readBytes(100, 5000)).toEqual(made.large.subarray(100, 5000));
    });

    test("and never ends as a success with missing bytes", async () => {
      await using made = await openStage(drive);
      await made.put("key", made.large);
      for (const fault of [{ truncateAt: 0 }, { resetResponseAt: 0 }]) {
        made.server.fault({ ...fault, on: drive.calls.download, times: 1000 });
        await expect(made.get("key")).rejects.toThrow();
        made.server.clearFaults();
      }
      expect(await made.get("key")).toEqual(made.large);
    });

    test("and is the old one or the new one when others change it, whatever was known of it", async () => {
      await using made = await openStage(drive, { files: { key: "before" } });
      await made.synced();
      let before = "before";
      for (const text of ["behind", "longer than before", ""]) {
        const { etag, size } = await made.objects.headObject("bucket", "key");
        await made.server.put("bucket/key", text);
        const state = await made.state("key");
        if (Buffer.isBuffer(state)) expect([before, text]).toContain(state.toString());
        await eventually(async () => expect(String(await made.state("key"))).toBe(text));
        const now = await made.objects.headObject("bucket", "key");
        expect(now.size).toBe(text.length);
        if (size > 0 || text !== "") expect(now.etag).not.toBe(etag);
        before = text;
      }
    });

    test("or is gone when others removed it", async () => {
      await using made = await openStage(drive, { files: { key: "before", other: "" } });
      await made.synced();
      await made.objects.headObject("bucket", "key");
      made.server.remove("bucket/key");
      const state = await made.state("key");
      if (Buffer.isBuffer(state)) expect(state.toString()).toBe("before");
      await eventually(async () => expect(await made.state("key")).toBe("NoSuchKey"));
      expect(await made.keys()).toEqual(["other"]);
    });
  });

  test("a token that has ended is renewed, and the new one is kept for the next start", async () => {
    await using made = await openStage(drive);
    for (let round = 0; round < 3; round += 1) {
      made.server.expireTokens();
      await made.put(`key${round}`, made.small);
      made.server.expireTokens();
      await made.reopen();
      expect(await made.get(`key${round}`)).toEqual(made.small);
    }
  });

  test("a sign-in that was taken back is said, and loses nothing", async () => {
    await using made = await openStage(drive, { files: { key: "before" } });
    await made.synced();
    made.server.revokeTokens();
    await expect(made.put("key", made.small)).rejects.toThrow();
    await expect(made.put("other", made.large)).rejects.toThrow();
    expect(await made.keys()).toEqual(["key"]);
    expect(made.leftSessions).toBe(0);
  });

  test("a cursor that is given up loses nothing", async () => {
    await using made = await openStage(drive, { files: { a: "a", "folder/b": "b" } });
    if (!made.forgetCursors) return;
    await made.synced();
    await made.put("c", made.small);
    let stays = true;
    made.forgetCursors();
    made.server.remove("bucket/a");
    await made.server.put("bucket/folder/d", "d");
    await eventually(async () => {
      const keys = await made.keys();
      stays &&= keys.includes("c") && keys.includes("folder/b");
      expect(keys).toEqual(["c", "folder/b", "folder/d"]);
    });
    // At any time.
    expect(stays).toBe(true);
    expect(await made.get("c")).toEqual(made.small);
  });

  test("a feed that fails for a while is followed again", async () => {
    await using made = await openStage(drive, { files: { a: "a" } });
    await made.synced();
    made.server.fault({ on: drive.calls.changes, status: 503, times: 4 });
    await made.server.put("bucket/b", "b");
    await eventually(async () => expect(await made.keys()).toEqual(["a", "b"]));
  });

  test("a full drive is said, and keeps what it has", async () => {
    await using made = await openStage(drive, { files: { key: "before" }, quota: 100_000 });
    await expect(made.put("key", made.large)).rejects.toMatchObject({ code: "XMinioStorageFull" });
    await made.put("small", made.small);
    expect((await made.get("key")).toString()).toBe("before");
    expect(made.leftSessions).toBe(0);
  });

  test("a name that the drive refuses is kept under another one", async () => {
    await using made = await openStage(drive);
    const { refused } = drive;
    if (refused === undefined) return;
    await made.put(refused, made.small);
    expect(await made.get(refused)).toEqual(made.small);
    await made.reopen();
    expect(await made.keys()).toEqual([refused]);
  });

  test.each([-2 * 3_600_000, 2 * 3_600_000])("clocks may differ (%d ms)", async (clockSkew) => {
    await using made = await openStage(drive, { clockSkew, files: { a: "a" } });
    await made.synced();
    await made.put("key", made.large);
    expect(await made.get("key")).toEqual(made.large);
    const soon = new Date(Date.now() + clockSkew + 1000).toUTCString();
    made.server.fault({ on: drive.calls.upload, status: 429, headers: { "retry-after": soon } });
    await made.put("key", made.small);
    expect(await made.get("key")).toEqual(made.small);
    made.server.remove("bucket/a");
    await eventually(async () => expect(await made.keys()).toEqual(["key"]));
  });

  test("many writes of one name leave one of them, whole", async () => {
    await using made = await openStage(drive);
    const bodies = Array.from({ length: 6 }, (_, index) => Buffer.alloc(1000 + index, index));
    made.server.fault({ on: drive.calls.upload, status: 503, times: 2 });
    const results = await Promise.allSettled(bodies.map((body) => made.put("key", body)));
    const stored = await made.get("key");
    expect(bodies.some((body, index) => results[index]!.status === "fulfilled" && body.equals(stored))).toBe(
      true,
    );
    expect(await made.keys()).toEqual(["key"]);
  });

  test("what fails while it is removed is still there or gone, and says which", async () => {
    await using made = await openStage(drive, { files: { a: "a", b: "b" } });
    made.server.fault({ on: drive.calls.remove, loseAnswer: true });
    await made.objects.deleteObject("bucket", "a");
    expect(await made.keys()).toEqual(["b"]);
    made.server.fault({ on: drive.calls.remove, status: 403 });
    await expect(made.objects.deleteObject("bucket", "b")).rejects.toThrow();
    expect((await made.get("b")).toString()).toBe("b");
    await sleep(300);
    expect(await made.keys()).toEqual(["b"]);
  });
});
