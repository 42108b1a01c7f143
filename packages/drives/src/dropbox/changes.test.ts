import { afterEach, expect, test } from "vitest";
import type { ChangePage, Item, RemovedItem } from "../remote/vendor.ts";
import { bodyOf, type Stage, stage } from "./testing.ts";

let open: Stage[] = [];
afterEach(async () => {
  for (const each of open) await each[Symbol.asyncDispose]();
  open = [];
});

const start = async (...args: Parameters<typeof stage>) => {
  const made = await stage(...args);
  open.push(made);
  return made;
};

const told = (pages: readonly ChangePage[]) =>
  pages.flatMap(({ changes }) =>
    changes.map((change: Item | RemovedItem) => ("removed" in change ? `- ${change.id}` : change.id)),
  );

test("everything is told at first, then what changed, with texts", async () => {
  const { vendor, target, server, calls, find } = await start({ files: { "A/b": "1", "A/c": null, d: "2" } });
  const follow = async (cursor?: string) => Array.fromAsync(vendor.changes(cursor));
  const first = await follow();
  expect(told(first).sort()).toEqual(["/a", "/a/b", "/a/c", "/d"]);
  expect(first.map(({ reset }) => reset)).toEqual([false]);
  const { cursor } = first.at(-1)!;
  expect(await calls(() => follow(cursor))).toEqual({ "files/list_folder/continue": 1 });
  const made = await vendor.upload(target("new"), bodyOf("n"), { properties: "text" });
  await vendor.move(await find("A"), target("Moved"));
  server.remove("d");
  const second = await follow(cursor);
  expect(told(second)).toEqual(["/new", "- /a", "/moved", "/moved/b", "/moved/c", "- /d"]);
  expect(second[0]!.changes[0]).toEqual(made);
  expect(told(await follow(second.at(-1)!.cursor))).toEqual([]);
});

test("a cursor that is given up, or tells other texts, begins everything anew", async () => {
  const { vendor, server, another } = await start({ files: { a: "1", b: "2" } });
  const last = async (pages: AsyncIterable<ChangePage>) => (await Array.fromAsync(pages)).at(-1)!;
  const { cursor } = await last(vendor.changes(undefined));
  server.resetCursors();
  const anew = await last(vendor.changes(cursor));
  expect(anew).toMatchObject({ reset: true, changes: { length: 2 } });
  expect((await last(vendor.changes(anew.cursor))).reset).toBe(false);
  for (const strange of ["nonsense", JSON.stringify({ cursor: JSON.parse(cursor).cursor, filter: null })])
    expect(await last(vendor.changes(strange))).toMatchObject({ reset: true, changes: { length: 2 } });
  // Another gateway goes on with the same template.
  expect((await last(another().changes(anew.cursor))).reset).toBe(false);
  const body = { error_summary: "reset/", error: { ".tag": "reset" } };
  server.fault({ on: /list_folder/, status: 409, body, times: 100 });
  await expect(last(vendor.changes(anew.cursor))).rejects.toMatchObject({ code: "Unavailable" });
});

test("a call waits for changes, without a token", async () => {
  const { vendor, server } = await start({}, { longpollSeconds: 30 });
  const { signal } = new AbortController();
  const { cursor } = (await Array.fromAsync(vendor.changes(undefined))).at(-1)!;
  const waiting = vendor.wait(cursor, signal);
  await expect.poll(() => server.calls.counts.calls["files/list_folder/longpoll"]).toBe(1);
  await server.put("a", "1");
  expect(await waiting).toBe(true);
  server.resetCursors();
  expect(await vendor.wait(cursor, signal)).toBe(true);
});

test("waiting ends with its time, with a signal, and obeys the service", async () => {
  const { vendor, server } = await start({ longpollSeconds: 0.02, longpollBackoff: 0.1 });
  const { cursor } = (await Array.fromAsync(vendor.changes(undefined))).at(-1)!;
  const began = performance.now();
  expect(await vendor.wait(cursor, new AbortController().signal)).toBe(false);
  expect(performance.now() - began).toBeGreaterThanOrEqual(99);
  const stop = new AbortController();
  server.fault({ on: "files/list_folder/longpoll", delay: 60_000 });
  const waiting = vendor.wait(cursor, stop.signal);
  await expect.poll(() => server.calls.counts.calls["files/list_folder/longpoll"]).toBe(2);
  stop.abort(new Error("stop"));
  await expect(waiting).rejects.toThrow("stop");
});

test("where the service does not wait it is asked now and then", async () => {
  const slept: number[] = [];
  const clock = {
    now: () => Date.now(),
    sleep: async (milliseconds: number) => {
      slept.push(milliseconds);
    },
  };
  const { vendor, server } = await start({}, { http: { clock } });
  const { cursor } = (await Array.fromAsync(vendor.changes(undefined))).at(-1)!;
  server.fault({ on: "files/list_folder/longpoll", status: 400 });
  slept.length = 0;
  expect(await vendor.wait(cursor, new AbortController().signal)).toBe(true);
  expect(slept.at(-1)).toBe(10_000);
});
