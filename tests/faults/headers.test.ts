import { afterAll, beforeAll, expect, test } from "vitest";
import { type Gateway, startGateway } from "../gateway.ts";
import { head, send, sendRaw, sign } from "./requests.ts";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ workers: 1 });
  expect((await send(gateway, "PUT", "/bucket")).status).toBe(200);
  expect((await send(gateway, "PUT", "/bucket/kept", { body: "kept" })).status).toBe(200);
});
afterAll(() => gateway?.stop());

const host = { host: "127.0.0.1" };

test.each([
  ["one header of 100 KB", { ...host, "x-amz-meta-a": "x".repeat(100_000) }],
  ["many headers of 100 KB together", { ...host, ...many(100, 1000) }],
  ["1,001 headers", { ...host, ...many(1001, 1) }],
])("%s are refused", async (_, headers) => {
  const answer = await sendRaw(gateway.port, [head("GET", "/bucket/kept", headers)]);
  expect(answer.statusLine).toBe("HTTP/1.1 400 Bad Request");
  expect(answer.code).toBe("RequestHeaderSectionTooLarge");
});

test("no header is left out when there are many", async () => {
  // Beyond 1,000 headers none may be dropped silently, or one that forbids something could be.
  const { headers } = sign(gateway, "PUT", "/bucket/kept", {}, "UNSIGNED-PAYLOAD");
  const request = head("PUT", "/bucket/kept", {
    ...many(1000, 1),
    ...headers,
    "if-none-match": "*",
    "content-length": "0",
  });
  const answer = await sendRaw(gateway.port, [request]);
  expect(answer.code).toBe("RequestHeaderSectionTooLarge");
  expect((await send(gateway, "GET", "/bucket/kept")).body.toString()).toBe("kept");
});

test("an address that is too long is refused", async () => {
  const answer = await sendRaw(gateway.port, [head("GET", `/bucket/${"x".repeat(100_000)}`, host)]);
  expect(answer.statusLine).toBe("HTTP/1.1 400 Bad Request");
  expect(answer.code).toBe("RequestHeaderSectionTooLarge");
});

test("a key may have 1,024 bytes and no more", async () => {
  expect((await send(gateway, "PUT", `/bucket/${"k".repeat(1024)}`, { body: "x" })).status).toBe(200);
  const longer = await send(gateway, "PUT", `/bucket/${"k".repeat(1025)}`, { body: "x" });
  expect([longer.status, longer.code]).toEqual([400, "KeyTooLongError"]);
  const read = await send(gateway, "GET", `/bucket/${"%C3%A4".repeat(513)}`);
  expect([read.status, read.code]).toEqual([400, "KeyTooLongError"]);
});

test("user metadata may have 2 KB and no more", async () => {
  const headers = { "x-amz-meta-a": "x".repeat(3000) };
  const answer = await send(gateway, "PUT", "/bucket/kept", { headers, body: "new" });
  expect([answer.status, answer.code]).toEqual([400, "MetadataTooLarge"]);
  expect((await send(gateway, "GET", "/bucket/kept")).body.toString()).toBe("kept");
});

test("names that mean something to JavaScript are names like any other", async () => {
  const headers = {
    "x-amz-meta-__proto__": "a",
    "x-amz-meta-constructor": "b",
    "x-amz-tagging": "__proto__=c&toString=d",
  };
  expect((await send(gateway, "PUT", "/bucket/named", { headers, body: "x" })).status).toBe(200);
  const read = await send(gateway, "HEAD", "/bucket/named");
  expect(Object.entries(read.headers)).toContainEqual(["x-amz-meta-__proto__", "a"]);
  expect(read.headers["x-amz-meta-constructor"]).toBe("b");
  const tags = (await send(gateway, "GET", "/bucket/named?tagging=")).body.toString();
  expect(tags).toContain("<Key>__proto__</Key><Value>c</Value>");
  expect(tags).toContain("<Key>toString</Key><Value>d</Value>");
});

test.each([
  ["no request at all", "hello\r\n\r\n"],
  ["a header without a colon", "GET / HTTP/1.1\r\nhost: a\r\nnothing\r\n\r\n"],
  ["a NUL in a header", "GET / HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n"],
  ["two lengths", "PUT /bucket/kept HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx"],
  [
    "a length and chunks",
    "PUT /bucket/kept HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
])("%s is a bad request", async (_, request) => {
  const answer = await sendRaw(gateway.port, [request]);
  expect(answer.statusLine).toBe("HTTP/1.1 400 Bad Request");
  expect(answer.code).toBe("BadRequest");
});

test("what follows a whole request does not disturb its answer", async () => {
  const size = 8 << 20;
  expect((await send(gateway, "PUT", "/bucket/large", { body: Buffer.alloc(size, "x") })).status).toBe(200);
  const { headers } = sign(gateway, "GET", "/bucket/large", {}, "UNSIGNED-PAYLOAD");
  const answer = await sendRaw(gateway.port, [`${head("GET", "/bucket/large", headers)}garbage\r\n\r\n`], {
    after: "read",
  });
  const body = answer.text.slice(answer.text.indexOf("\r\n\r\n") + 4);
  expect(answer.status).toBe(200);
  expect(/^x*$/.test(body.slice(0, size))).toBe(true);
  expect(body.slice(size)).toMatch(/^(HTTP\/1\.1 400 Bad Request\r\n|$)/);
});

function many(count: number, length: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-other-${i}`, "v".repeat(length)]));
}
