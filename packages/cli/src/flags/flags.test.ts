import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { checkConfig, loadConfig } from "../config.ts";
import { UsageError } from "../errors.ts";
import { resolveCredentials } from "./credentials.ts";
import { addServeFlags } from "./options.ts";
import { takeRcloneFlags } from "./rclone.ts";
import { resolveSettings } from "./resolve.ts";
import * as values from "./values.ts";

const folder = mkdtempSync(join(tmpdir(), "overcoat-cli-"));

describe("values", () => {
  test.each([
    ["1h", 3_600_000],
    ["10s", 10_000],
    ["1m30s", 90_000],
    ["1h0m0s", 3_600_000],
    ["250ms", 250],
    ["1.5h", 5_400_000],
    ["7", 7000],
    ["2d", 172_800_000],
    ["off", undefined],
  ])("duration %s", (text, expected) => expect(values.parseDuration(text, "--x")).toBe(expected));
  test.each(["", "soon", "1x", "-1s", "1h-"])("no duration: %s", (text) =>
    expect(() => values.parseDuration(text, "--x")).toThrow(UsageError),
  );
  test.each([
    ["64Ki", 65536],
    ["10", 10240],
    ["512B", 512],
    ["1.5G", 1.5 * 1024 ** 3],
    ["1MiB", 1024 ** 2],
    ["off", undefined],
  ])("size %s", (text, expected) => expect(values.parseSize(text, "--x")).toBe(expected));
  test("proxies", () => {
    expect(values.parseProxies(undefined, "--x")).toEqual([]);
    expect(values.parseProxies(["127.0.0.1, 10.0.0.0/8", "unix"], "--x")).toEqual([
      "127.0.0.1",
      "10.0.0.0/8",
      "unix",
    ]);
    expect(() => values.parseProxies(["proxy.example"], "--x")).toThrow(
      '--x: "proxy.example" is neither an address nor a network',
    );
  });
  test("octal", () => {
    expect(values.parseOctal("0666", "--x")).toBe(0o666);
    expect(values.parseOctal("22", "--x")).toBe(0o22);
    expect(() => values.parseOctal("0888", "--x")).toThrow(UsageError);
  });
  test("addresses", () => {
    expect(values.parseAddress(":9000", "--addr")).toEqual({ port: 9000 });
    expect(values.parseAddress("[::1]:9000", "--addr")).toEqual({ host: "::1", port: 9000 });
    expect(() => values.parseAddress("127.0.0.1", "--addr")).toThrow(UsageError);
    expect(() => values.parseAddress(":70000", "--addr")).toThrow(UsageError);
    expect(
      ["localhost:1", "127.9.9.9:1", "[::1]:1"].every((a) => values.isLoopback(values.parseAddress(a, ""))),
    ).toBe(true);
    expect(
      [":1", "0.0.0.0:1", "[::]:1", "127.evil.com:1"].some((a) =>
        values.isLoopback(values.parseAddress(a, "")),
      ),
    ).toBe(false);
  });
  test("keys and headers", () => {
    expect(values.parseKeyPair("a,b,c", "")).toEqual({ accessKeyId: "a", secretAccessKey: "b,c" });
    expect(() => values.parseKeyPair("a,", "")).toThrow(UsageError);
    expect(values.parseHeader("X-A: b: c", "")).toEqual(["X-A", "b: c"]);
    expect(() => values.parseHeader("X-A: b\r\nc", "")).toThrow(UsageError);
  });
});

test("rclone's other flags are taken out with one line each", () => {
  const taken = takeRcloneFlags(
    [
      "serve",
      "s3",
      "--vfs-cache-mode",
      "full",
      "--no-checksum",
      "--vfs-cache-mode=off",
      "--read-only=false",
      "--v2-auth=true",
      "/srv",
    ],
    ["read-only", "v2-auth"],
  );
  expect(taken.rest).toEqual(["serve", "s3", "--no-read-only", "--v2-auth", "/srv"]);
  expect(taken.notes).toHaveLength(2);
  expect(takeRcloneFlags(["--pass", "--transfers", "--uid"], [], new Set(["pass"]))).toMatchObject({
    rest: ["--pass", "--transfers"],
    missing: "uid",
  });
});

test("flags come as Go's programs take them", () => {
  const take = (...args: string[]) => takeRcloneFlags(args, [], new Set(["pass"]));
  expect(take("-Pv", "-vv", "--verbose=2").rest).toEqual(["-v", "-v", "-v", "-v", "-v"]);
  expect([...take("-Pv", "-n").taken]).toEqual(["progress", "dry-run"]);
  expect(take("-n").notes).toEqual([
    "--dry-run is NOT APPLIED: clients do change the remote; use --read-only to prevent that",
  ]);
  expect(take("--pass", "-Pv").rest).toEqual(["--pass", "-Pv"]);
  expect(take("-f", "- *.tmp", "/srv").rest).toEqual(["/srv"]);
  expect(take("-xyz").rest).toEqual(["-xyz"]);
  expect(take("--", "-P").rest).toEqual(["--", "-P"]);
});

test("the log's format is ours or rclone's", () => {
  const format = (flags: object, config = {}) => resolveSettings(folder, flags, {}, config).logFormat;
  expect(format({})).toBe("pretty");
  expect(format({ logFormat: "json" }, { logFormat: "pretty" })).toBe("json");
  expect(format({ useJsonLog: true }, { logFormat: "pretty" })).toBe("json");
  expect(format({ logFormat: "date,time,UTC" })).toBe("pretty");
  expect(() => format({ logFormat: "xml" })).toThrow(UsageError);
});

test("addresses come as rclone takes them", () => {
  const parse = (text: string) => values.parseListener(text, "--addr");
  expect(parse("unix:///run/s3.sock")).toEqual({ port: 0, path: "/run/s3.sock" });
  expect(parse("/run/s3.sock")).toEqual({ port: 0, path: "/run/s3.sock" });
  expect(parse("http://:9000")).toEqual({ port: 9000, tls: false });
  expect(parse("tls://[::1]:443")).toEqual({ host: "::1", port: 443, tls: true });
  for (const wrong of ["unix://run", "https://:9000", "http://", "run/s3.sock"])
    expect(() => parse(wrong)).toThrow(UsageError);
  expect(values.isLoopback(parse("/run/s3.sock"))).toBe(true);
  expect(values.isLoopback(parse("http://0.0.0.0:1"))).toBe(false);
  expect(() => resolveSettings(folder, { addr: ["tls://127.0.0.1:1"] }, {}, {})).toThrow(/--cert and --key/);
});

test("rclone's variables count, and flags win", () => {
  const env = {
    RCLONE_ADDR: ":9000,/run/s3.sock",
    RCLONE_AUTH_KEY: '"a,b","c,d""e"',
    RCLONE_READ_ONLY: "true",
    RCLONE_MIN_TLS_VERSION: "tls1.3",
    RCLONE_LOG_LEVEL: "DEBUG",
    RCLONE_CONFIG: "/etc/rclone.conf",
  };
  expect(resolveSettings(folder, {}, env, { addr: ":1", logLevel: "ERROR" })).toMatchObject({
    addresses: [{ port: 9000 }, { path: "/run/s3.sock" }],
    credentials: [
      { accessKeyId: "a", secretAccessKey: "b" },
      { accessKeyId: "c", secretAccessKey: 'd"e' },
    ],
    readOnly: true,
    logLevel: "debug",
  });
  const flags = { user: "u", pass: "p", addr: ["127.0.0.1:1"], readOnly: false };
  expect(resolveSettings(folder, flags, env, {})).toMatchObject({
    addresses: [{ port: 1 }],
    credentials: [{ accessKeyId: "u", secretAccessKey: "p" }],
    readOnly: false,
  });
  expect(() => resolveSettings(folder, {}, { RCLONE_AUTH_KEY: '"a,b' }, {})).toThrow(
    /RCLONE_AUTH_KEY is no list/,
  );
  expect(() => resolveSettings(folder, {}, { RCLONE_AUTH_KEY: "a,b" }, {})).toThrow(UsageError);
});

test("domains are names", () => {
  expect(values.parseDomain(".S3.Example.com", "")).toBe("s3.example.com");
  for (const wrong of ["http://x", "x:9000", "", "a b", "*.x"])
    expect(() => values.parseDomain(wrong, "--domain")).toThrow(UsageError);
});

test("rclone's configuration is passed over, and none is none", async () => {
  expect(await loadConfig("/etc/rclone.conf")).toEqual({});
  expect(await loadConfig("")).toEqual({});
  await expect(loadConfig(join(folder, "none.ts"))).rejects.toThrow(UsageError);
});

describe("precedence", () => {
  const env = {
    RC_S3_ACCESS_KEY_ID: "rc",
    RC_S3_SECRET_ACCESS_KEY: "rcs",
    AWS_ACCESS_KEY_ID: "aws",
    AWS_SECRET_ACCESS_KEY: "awss",
  };
  const ids = (...args: Parameters<typeof resolveCredentials>) =>
    resolveCredentials(...args).map((key) => key.accessKeyId);
  test("keys", () => {
    expect(ids({ authKey: ["a,b", "c,d"] }, env, {})).toEqual(["a", "c"]);
    expect(ids({ user: "u", pass: "p" }, env, {})).toEqual(["u"]);
    expect(ids({}, env, {})).toEqual(["rc"]);
    expect(ids({}, { AWS_ACCESS_KEY_ID: "aws", AWS_SECRET_ACCESS_KEY: "s" }, {})).toEqual(["aws"]);
    expect(() => ids({ user: "u" }, {}, {})).toThrow(UsageError);
    expect(() => ids({ authKey: ["a,b", "a,c"] }, {}, {})).toThrow(UsageError);
  });
  test("the rest", () => {
    const vars = {
      ...env,
      RC_S3_REMOTE: folder,
      RC_S3_ADDR: ":9000",
      RC_S3_REGION: "eu",
      RC_S3_V2_AUTH: "true",
    };
    expect(resolveSettings(undefined, {}, vars, { region: "x" })).toMatchObject({
      addresses: [{ port: 9000 }],
      region: "eu",
      v2Auth: true,
    });
    expect(
      resolveSettings(undefined, { addr: ["[::1]:1"], region: "us", v2Auth: false }, vars, {}),
    ).toMatchObject({
      addresses: [{ host: "::1", port: 1 }],
      region: "us",
      v2Auth: false,
    });
    expect(resolveSettings(folder, {}, {}, {})).toMatchObject({
      addresses: [{ host: "127.0.0.1", port: 8080 }],
      fsync: true,
      cleanup: true,
    });
    expect(resolveSettings(folder, { umask: "027", filePerms: "0666" }, {}, {}).filePermissions).toBe(0o640);
  });
  test("no key, no open address", () => {
    expect(() => resolveSettings(folder, { addr: [":9000"] }, {}, {})).toThrow(/without a key/);
    expect(() => resolveSettings(folder, { addr: ["localhost:9000"] }, {}, {})).not.toThrow();
  });
});

test("a cache is kept where a flag asks for one", () => {
  const cache = (flags: object, config = {}) =>
    resolveSettings(folder, { data: "/d", ...flags }, {}, config).cache;
  expect(cache({})).toBeUndefined();
  expect(cache({ cacheDir: "/c" })).toEqual({ folder: "/c" });
  expect(cache({ cacheSize: "2G" })).toEqual({ folder: "/d/cache", size: 2 * 1024 ** 3 });
  expect(cache({ vfsCacheMaxSize: "1Mi", cacheDir: "/c" })).toEqual({ folder: "/c", size: 1024 ** 2 });
  expect(cache({ cacheSize: "off" })?.size).toBe(Number.MAX_SAFE_INTEGER);
  expect(cache({ cacheSize: "0" }, { cacheDir: "/c" })).toBeUndefined();
  expect(() => cache({ cacheSize: "much" })).toThrow("--cache-size");
});

test("configuration names the wrong field", () => {
  expect(() => checkConfig({ keys: [{ accessKeyId: "a" }] }, "f")).toThrow(/keys\.0\.secretAccessKey/);
  expect(() => checkConfig({ nonsense: 1 }, "f")).toThrow(UsageError);
});

test("flags that are not given leave it to the configuration", () => {
  for (const kind of ["serve", "up"] as const) {
    const command = new Command();
    addServeFlags(command, kind);
    command.parse([], { from: "user" });
    expect(command.opts()).toEqual(kind === "up" ? { console: true } : {});
  }
});
