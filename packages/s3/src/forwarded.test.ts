import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { Forwarded } from "./forwarded.ts";

const request = (
  remoteAddress: string | undefined,
  headers: Record<string, string> = {},
  socket: object = {},
) =>
  ({
    headers,
    socket: Object.defineProperty(socket, "remoteAddress", { value: remoteAddress }),
  }) as unknown as IncomingMessage;
const from = (addresses: string) => ({ "x-forwarded-for": addresses });

describe("the client's address", () => {
  const forwarded = new Forwarded(["127.0.0.1", "10.0.0.0/8", "fd00::/8"]);
  it.each([
    ["203.0.113.9", undefined, "203.0.113.9"],
    ["203.0.113.9", "192.0.2.1", "203.0.113.9"],
    ["127.0.0.1", undefined, "127.0.0.1"],
    ["127.0.0.1", "192.0.2.1", "192.0.2.1"],
    ["::ffff:127.0.0.1", "192.0.2.1", "192.0.2.1"],
    ["127.0.0.1", "198.51.100.7, 192.0.2.1, 10.1.2.3", "192.0.2.1"],
    ["fd00::5", "2001:db8::1", "2001:db8::1"],
    ["127.0.0.1", "unknown", "127.0.0.1"],
    ["127.0.0.1", "192.0.2.1, _hidden", "127.0.0.1"],
    ["127.0.0.1", "10.0.0.1,10.0.0.2", "10.0.0.1"],
    [undefined, "192.0.2.1", "unix"],
  ])("of %s with %s is %s", (peer, header, client) =>
    expect(forwarded.client(request(peer, header === undefined ? {} : from(header)))).toBe(client),
  );

  it("is nobody's to tell without trusted proxies", () =>
    expect(new Forwarded().client(request("127.0.0.1", from("192.0.2.1")))).toBe("127.0.0.1"));

  it("is told through a Unix socket where that is trusted", () =>
    expect(new Forwarded(["unix"]).client(request(undefined, from("192.0.2.1")))).toBe("192.0.2.1"));
});

describe("the scheme", () => {
  const forwarded = new Forwarded(["127.0.0.1"]);
  const https = { "x-forwarded-proto": "https" };
  it.each([
    ["127.0.0.1", {}, "http"],
    ["127.0.0.1", https, "https"],
    ["203.0.113.9", https, "http"],
    ["127.0.0.1", { "x-forwarded-proto": "http, HTTPS" }, "https"],
    ["127.0.0.1", { "x-forwarded-proto": "javascript" }, "http"],
  ])("from %s with %j is %s", (peer, headers, scheme) =>
    expect(forwarded.scheme(request(peer, headers))).toBe(scheme),
  );

  it("is that of the connection without a proxy", () =>
    expect(new Forwarded().scheme(request("203.0.113.9", {}, Object.create(TLSSocket.prototype)))).toBe(
      "https",
    ));
});

it("refuses what is no address", () => {
  for (const text of ["proxy.example", "10.0.0.0/33", "10.0.0", ""])
    expect(() => new Forwarded([text])).toThrow("neither an address nor a network");
});
