import { expect, test } from "vitest";
import { AllowList, splitAddress } from "./allow.ts";

const allowed = async (list: AllowList, address: string) => {
  try {
    await list.check(address);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ sqlState: expect.stringMatching(/^(?:42501|08001)$/) });
    return false;
  }
};

test("without a list everything is allowed but link-local addresses and the metadata services of clouds", async () => {
  const list = new AllowList();
  for (const address of [
    "127.0.0.1:6379",
    "[::1]:6379",
    "localhost:6379",
    "10.0.0.1:80",
    "93.184.216.34:443",
  ])
    expect([address, await allowed(list, address)]).toEqual([address, true]);
  for (const address of [
    "169.254.169.254:80",
    "[fe80::1]:80",
    "[fd00:ec2::254]:80",
    "[::ffff:169.254.169.254]:80",
    "[64:ff9b::a9fe:a9fe]:80",
    "100.100.100.200:80",
    // Forms that the system takes for 169.254.169.254, too.
    "2852039166:80",
    "0xa9fea9fe:80",
    "0251.0376.0251.0376:80",
  ])
    expect([address, await allowed(list, address)]).toEqual([address, false]);
});

test("entries are names, domains, addresses and networks, with or without a port", async () => {
  const list = new AllowList([
    "localhost:6379",
    "*.localhost",
    "10.0.0.0/8:443",
    "[fd12::]/16",
    "127.0.0.2",
    "169.254.1.0/24",
  ]);
  for (const address of ["LOCALHOST:6379", "10.1.2.3:443", "[fd12::5]:1", "127.0.0.2:9", "169.254.1.7:80"])
    expect([address, await allowed(list, address)]).toEqual([address, true]);
  for (const address of [
    "localhost:6380",
    "10.1.2.3:80",
    "127.0.0.1:6379",
    "11.0.0.1:443",
    "[fd13::5]:1",
    "169.254.2.7:80",
  ])
    expect([address, await allowed(list, address)]).toEqual([address, false]);
});

test("a name is allowed by the network that all its addresses lie in, and refused when it cannot be resolved", async () => {
  expect(await allowed(new AllowList(["127.0.0.0/8", "[::1]"]), "localhost:1")).toBe(true);
  expect(await allowed(new AllowList(["10.0.0.0/8"]), "localhost:1")).toBe(false);
  expect(await allowed(new AllowList(), "no-such-host.invalid:1")).toBe(false);
});

test("malformed entries are refused", () => {
  for (const wrong of ["10.0.0.0/33", "name/8"])
    expect(() => new AllowList([wrong])).toThrow(expect.objectContaining({ sqlState: "22023" }));
});

test("addresses are split at their port", () => {
  expect(splitAddress("a.example:80")).toEqual({ host: "a.example", port: "80" });
  expect(splitAddress("A.example.")).toEqual({ host: "a.example", port: undefined });
  expect(splitAddress("[::1]:80")).toEqual({ host: "::1", port: "80" });
  expect(splitAddress("::1")).toEqual({ host: "::1", port: undefined });
});
