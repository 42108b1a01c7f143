import { PageIterator } from "@microsoft/microsoft-graph-client";
import { afterEach, describe, expect, test } from "vitest";
import type { Json } from "./item-json.ts";
import type { DriveType, OneDriveOptions } from "./options.ts";
import { type OneDriveServer, startOneDrive } from "./server.ts";
import { callsTo, officialClient } from "./test-client.ts";

const open: OneDriveServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

interface Entry {
  readonly id: string;
  readonly name?: string;
  readonly deleted?: Json;
  readonly parentReference: { readonly id?: string };
}

async function start(options: OneDriveOptions = {}) {
  const server = await startOneDrive(options);
  open.push(server);
  const client = officialClient(server);
  /** All pages from a link on, and the link to come back with. */
  const follow = async (link: string) => {
    const entries: Entry[] = [];
    const pages = new PageIterator(client, await client.api(link).get(), (entry: Entry) => {
      entries.push(entry);
      return true;
    });
    await pages.iterate();
    return { entries, link: pages.getDeltaLink()! };
  };
  return { server, client, call: callsTo(server), follow };
}

/** Paths of what a client holds who applied these entries. */
function paths(entries: readonly Entry[]): string[] {
  const held = new Map<string, Entry>();
  for (const entry of entries)
    if (entry.deleted) held.delete(entry.id);
    else held.set(entry.id, entry);
  const path = ({ name, parentReference: { id } }: Entry): string =>
    id === undefined ? "" : `${path(held.get(id)!)}/${name}`;
  return [...held.values()].map(path).sort();
}

const files = { "a/b/c.txt": "c", "a/d.txt": "d", "e.txt": "e" };

describe.each<DriveType>(["personal", "business"])("the change feed of a %s drive", (driveType) => {
  test("begins with everything, then tells changes, moves and removals", async () => {
    const { server, client, follow } = await start({ driveType, files });
    const first = await follow("/me/drive/root/delta?$top=2");
    expect(paths(first.entries)).toEqual(["", "/a", "/a/b", "/a/b/c.txt", "/a/d.txt", "/e.txt"]);
    // Parents come before their children, and no path is told.
    expect(first.entries.map(({ name }) => name).slice(0, 2)).toEqual(["root", "a"]);
    expect(first.entries.every((entry) => !("path" in entry.parentReference))).toBe(true);
    expect(first.entries.every((entry) => "cTag" in entry === (driveType === "personal"))).toBe(true);
    expect(await follow(first.link)).toEqual({ entries: [], link: first.link });

    await client
      .api("/me/drive/root:/a/b")
      .patch({ parentReference: { path: "/drive/root:" }, name: "moved" });
    await server.put("new/f.txt", "f");
    server.remove("e.txt");
    const second = await follow(first.link);
    // What stands below a moved folder is not told.
    expect(second.entries.some(({ name }) => name === "c.txt")).toBe(false);
    const { link, entries } = second;
    const removed = entries.find(({ deleted }) => deleted)!;
    expect(removed.deleted).toEqual({ state: "deleted" });
    expect("name" in removed).toBe(driveType === "personal");
    expect("cTag" in removed).toBe(false);
    expect("size" in removed).toBe(driveType === "business");
    expect(paths([...first.entries, ...entries])).toEqual([
      "",
      "/a",
      "/a/d.txt",
      "/moved",
      "/moved/c.txt",
      "/new",
      "/new/f.txt",
    ]);
    server.remove("moved");
    const third = await follow(link);
    expect(third.entries.filter(({ deleted }) => deleted)).toHaveLength(2);
    // An old link tells all that came after it.
    expect(paths([...first.entries, ...(await follow(first.link)).entries])).toEqual(
      paths([...first.entries, ...entries, ...third.entries]),
    );
  });

  test("begins now with token=latest", async () => {
    const { server, call, follow } = await start({ driveType, files });
    const { body } = await call("GET", "/me/drive/root/delta?token=latest");
    expect(body.value).toEqual([]);
    await server.put("a/d.txt", "changed");
    const { entries } = await follow(body["@odata.deltaLink"].replace(`${server.url}/v1.0`, ""));
    expect(entries.map(({ name }) => name)).toContain("d.txt");
    expect(entries.map(({ name }) => name)).not.toContain("e.txt");
  });

  test("asks to begin anew where a token is too old", async () => {
    const { server, call, follow } = await start({ driveType, files });
    const { body: page } = await call("GET", "/me/drive/root/delta?$top=1");
    const { link } = await follow("/me/drive/root/delta");
    const old = link.replace("https://graph.microsoft.com", server.url);
    server.resetDelta("resyncChangesUploadDifferences");
    for (const address of [old, page["@odata.nextLink"]]) {
      const { status, headers, body } = await call("GET", address);
      expect(status).toBe(410);
      expect(body.error.code).toBe("resyncChangesUploadDifferences");
      expect(headers.get("location")).toBe(`${server.url}/v1.0/me/drive/root/delta`);
    }
    expect(await call("GET", "/me/drive/root/delta?token=nonsense")).toMatchObject({ status: 400 });
    expect((await follow("/me/drive/root/delta")).entries).toHaveLength(6);
  });
});

test("what differs by type: folders, and times as tokens", async () => {
  const personal = await start({ files });
  const { entries } = await personal.follow("/me/drive/root:/a:/delta");
  expect(entries.map(({ name }) => name)).toEqual(["a", "b", "c.txt", "d.txt"]);
  const business = await start({ driveType: "business", files });
  expect(await business.call("GET", "/me/drive/root:/a:/delta")).toMatchObject({ status: 501 });
  business.server.clock.advance(5000);
  const time = new Date(business.server.clock.now()).toISOString();
  business.server.clock.advance(5000);
  await business.server.put("late.txt", "");
  const { body } = await business.call("GET", `/me/drive/root/delta(token='${time}')`);
  expect(body.value.map(({ name }: Entry) => name)).toEqual(["late.txt"]);
  expect(await personal.call("GET", `/me/drive/root/delta?token=${time}`)).toMatchObject({ status: 400 });
});

test("entries twice, children first, late, and folders alone, where asked for", async () => {
  const { server, follow } = await start({
    files,
    delta: { duplicates: true, outOfOrder: true, removedDescendants: false },
    lag: { delta: 1000, children: 1000 },
  });
  server.clock.advance(2000);
  const first = await follow("/me/drive/root/delta?$top=2");
  expect(first.entries.length).toBeGreaterThan(6);
  expect(first.entries.at(-1)!.name).toBe("root");
  expect(paths(first.entries)).toHaveLength(6);
  server.remove("a");
  await server.put("late.txt", "");
  expect((await follow(first.link)).entries).toEqual([]);
  const { call } = await start({ lag: { children: 1000 } });
  await call("PUT", "/me/drive/root:/now.txt:/content", "");
  expect((await call("GET", "/me/drive/root/children")).body.value).toEqual([]);
  expect(await call("GET", "/me/drive/root:/now.txt")).toMatchObject({ status: 200 });
  server.clock.advance(2000);
  const { entries } = await follow(first.link);
  const removed = new Set(entries.filter(({ deleted }) => deleted).map(({ name }) => name));
  expect([...removed]).toEqual(["a"]);
  expect(entries.map(({ name }) => name)).toContain("late.txt");
});

test("ids of personal drives come spelled in many ways", async () => {
  const { server, call } = await start({ files, oddDriveIds: true });
  const { body } = await call("GET", "/me/drive/root/children");
  const ids = new Set(body.value.map(({ parentReference }: Json) => (parentReference as Json).driveId));
  expect(ids.size).toBeGreaterThan(1);
  for (const id of ids) expect(await call("GET", `/drives/${id}/root`)).toMatchObject({ status: 200 });
  expect(await call("GET", `/drives/${server.driveId.replace(/^./, "9")}/root`)).toMatchObject({
    status: 404,
  });
});
