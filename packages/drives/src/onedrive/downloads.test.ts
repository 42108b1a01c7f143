import { afterEach, expect, test } from "vitest";
import { bodyOf, type Stage, stage, textOf } from "./testing.ts";

let open: Stage[] = [];
afterEach(async () => {
  for (const each of open) await each[Symbol.asyncDispose]();
  open = [];
});
const start = async (...options: Parameters<typeof stage>) => {
  const made = await stage(...options);
  open.push(made);
  return made;
};
const alphabet = "abcdefghijklmnopqrstuvwxyz";

test("a file is read with two calls at first, and with one while its address is good", async () => {
  const { another, find, calls } = await start({ files: { a: alphabet } });
  const a = await find("a");
  const vendor = another();
  const texts: string[] = [];
  const read = (start: number, end: number) => async () =>
    texts.push(await textOf(vendor.read(a, start, end)));
  expect(await calls(read(0, 26))).toEqual({ "GET item": 1, "GET download": 1 });
  expect(await calls(read(3, 6))).toEqual({ "GET download": 1 });
  expect(await calls(read(25, 26))).toEqual({ "GET download": 1 });
  expect(texts).toEqual([alphabet, "def", "z"]);
});

test("no token goes to storage", async () => {
  const { vendor, find, server } = await start({ files: { a: alphabet } });
  await textOf(vendor.read(await find("a"), 0, 26));
  const [call] = server.calls.entries.filter(({ endpoint }) => endpoint === "GET download");
  expect(call?.headers.authorization).toBeUndefined();
});

test("an address that has ended is asked for anew", async () => {
  const { vendor, find, server, calls } = await start({ files: { a: alphabet }, downloadSeconds: 60 });
  const a = await find("a");
  server.clock.advance(61_000);
  expect(await calls(() => textOf(vendor.read(a, 1, 3)))).toEqual({ "GET download": 2, "GET item": 1 });
  expect(await textOf(vendor.read(a, 1, 3))).toBe("bc");
  for (const status of [401, 403, 404, 410]) {
    server.fault({ on: "GET download", status });
    expect(await textOf(vendor.read(a, 1, 3))).toBe("bc");
  }
});

test.each(["personal", "business"] as const)(
  "bytes of another version are never given (%s)",
  async (driveType) => {
    const { vendor, find, server } = await start({ driveType, files: { a: alphabet, b: alphabet } });
    const [a, b] = [await find("a"), await find("b")];
    // Of the same length, so that only the tag tells.
    await server.put("a", alphabet.toUpperCase());
    await expect(textOf(vendor.read(a, 0, 26))).rejects.toMatchObject({ code: "Changed" });
    await expect(textOf(vendor.read(a, 3, 6))).rejects.toMatchObject({ code: "Changed" });
    expect(await textOf(vendor.read(await find("a"), 3, 6))).toBe("DEF");
    await server.put("b", "short");
    await expect(textOf(vendor.read(b, 10, 20))).rejects.toMatchObject({ code: "Changed" });
    server.remove("b");
    await expect(textOf(vendor.read(b, 0, 26))).rejects.toMatchObject({ code: "NotFound" });
  },
);

test("a rename leaves the bytes good", async () => {
  const { vendor, find, target } = await start({ files: { a: alphabet } });
  const a = await find("a");
  await vendor.move(a, target("b"));
  expect(await textOf(vendor.read(a, 3, 6))).toBe("def");
});

test("bytes without a tag are believed only for a moment", async () => {
  const { vendor, find, server, calls } = await start({ files: { a: alphabet } });
  const a = await find("a");
  const untagged = () =>
    server.fault({ on: "GET download", status: 200, headers: { etag: "" }, body: alphabet });
  untagged();
  expect(await textOf(vendor.read(a, 0, 26))).toBe(alphabet);
  expect(await calls(() => textOf(vendor.read(a, 0, 26)))).toEqual({ "GET download": 1 });
});

test("an answer with the whole file in place of a range is cut", async () => {
  const { vendor, find, server } = await start({ files: { a: alphabet } });
  const a = await find("a");
  const eTag = server.drive.eTag(server.drive.find(server.drive.root, ["a"])!);
  server.fault({ on: "GET download", status: 200, headers: { etag: eTag }, body: alphabet });
  expect(await textOf(vendor.read(a, 3, 6))).toBe("def");
});

test.each([{ truncateAt: 10 }, { resetResponseAt: 10 }])(
  "a stream that breaks off says so (%j)",
  async (fault) => {
    const { vendor, find, server } = await start({ files: { a: alphabet } });
    const a = await find("a");
    server.fault({ on: "GET download", ...fault });
    const chunks: Uint8Array[] = [];
    const read = async () => {
      for await (const chunk of await vendor.read(a, 0, 26)) chunks.push(chunk);
    };
    await expect(read()).rejects.toMatchObject({ code: "Unavailable" });
    expect(alphabet.startsWith(Buffer.concat(chunks).toString())).toBe(true);
    expect(await textOf(vendor.read(a, 10, 26))).toBe(alphabet.slice(10));
  },
);

test("an infected file is refused", async () => {
  const { another, find, server } = await start({ files: { a: alphabet } });
  const a = await find("a");
  server.infect("a");
  await expect(textOf(another().read(a, 0, 26))).rejects.toMatchObject({
    code: "AccessDenied",
    message: expect.stringContaining("malware"),
  });
});

test("no error tells an address", async () => {
  const { vendor, find, server } = await start({ files: { a: alphabet } });
  const a = await find("a");
  server.fault({
    on: "GET download",
    status: 403,
    times: 9,
    body: { error: { message: `${server.storageUrl}/x?tempauth=hidden` } },
  });
  const error = await textOf(vendor.read(a, 0, 26)).catch((error) => error);
  expect(error).toMatchObject({ code: "AccessDenied" });
  expect(error.stack).not.toMatch(/tempauth|hidden/);
});

test("reads may be given up", async () => {
  const { vendor, target, server } = await start();
  const a = await vendor.upload(target("a"), bodyOf(alphabet.repeat(100_000)));
  for await (const chunk of await vendor.read(a, 0, a.size)) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  server.fault({ on: "GET download", delay: 60_000 });
  const stop = new AbortController();
  const read = vendor.read(a, 0, a.size, stop.signal);
  setTimeout(() => stop.abort(), 20);
  await expect(read).rejects.toThrow();
});
