import { setTimeout as sleep } from "node:timers/promises";
import { type Options, type Source, SqlError } from "@overcoat/sources";
import { expect, test } from "vitest";
import { AllowList } from "./allow.ts";
import { Services, type ServicesOptions } from "./services.ts";

/** A source that tells with which options it was opened. */
function recording(): {
  source: Source;
  opened: Options[];
  closed: () => number;
  fail: (error?: Error) => void;
} {
  const opened: Options[] = [];
  let closed = 0;
  let failure: Error | undefined;
  const source: Source = {
    name: "memory",
    options: {
      server: { address: { description: "" }, at: { description: "", synonymOf: "address" } },
      user: { token: { description: "", secret: true } },
      table: {},
      column: {},
    },
    secretOption: "token",
    addresses: ({ address = "" }) => [address],
    async connect(options) {
      opened.push(options);
      await sleep(5);
      if (failure) throw failure;
      return {
        table: () => {
          throw new Error("unused");
        },
        [Symbol.asyncDispose]: async () => {
          closed++;
        },
      };
    },
  };
  return {
    source,
    opened,
    closed: () => closed,
    fail: (error) => {
      failure = error;
    },
  };
}

function open(source: Source, options: Partial<ServicesOptions> = {}): Services {
  return new Services({
    sources: [source],
    secrets: () => undefined,
    allow: new AllowList(),
    idle: 60_000,
    connectTimeout: 60_000,
    log: () => undefined,
    ...options,
  });
}

const { signal } = new AbortController();
const link = (options: Options) => ({ wrapper: "memory_fdw", server: "s", options });

test("equal options share a connection, which is closed when nobody has used it for long enough", async () => {
  const { source, opened, closed } = recording();
  const services = open(source, { idle: 40 });
  const first = await services.service(link({ address: "127.0.0.1:1" }));
  const second = await services.service(link({ at: "127.0.0.1:1" }));
  const other = await services.service(link({ address: "127.0.0.1:2" }));
  const [a, b] = await Promise.all([first.acquire(signal), second.acquire(signal)]);
  expect(a).toBe(b);
  expect(first.acquire(signal)).toBe(a);
  expect(await other.acquire(signal)).not.toBe(a);
  expect(opened).toEqual([{ address: "127.0.0.1:1" }, { address: "127.0.0.1:2" }]);
  for (const service of [first, first]) service.release();
  await sleep(150);
  expect(closed()).toBe(0);
  second.release();
  while (closed() === 0) await sleep(10);
  expect(await first.acquire(signal)).not.toBe(a);
  await services.close();
  expect(closed()).toBe(3);
});

test("a service that cannot be reached is tried again for the next statement", async () => {
  const { source, opened, fail } = recording();
  const services = open(source);
  const service = await services.service(link({ address: "127.0.0.1:1" }));
  fail(new SqlError("08001", "nobody answers"));
  await expect(Promise.all([service.acquire(signal), service.acquire(signal)])).rejects.toThrow(
    "nobody answers",
  );
  fail();
  await service.acquire(signal);
  expect(opened).toHaveLength(2);
  await services.close();
});

test("a service that lets nobody in does not keep those waiting who come later", async () => {
  const { source } = recording();
  let hanging = true;
  const deaf: Source = {
    ...source,
    connect: (options) => (hanging ? new Promise(() => undefined) : source.connect(options)),
  };
  const services = open(deaf, { connectTimeout: 50 });
  const service = await services.service(link({ address: "127.0.0.1:1" }));
  await expect(service.acquire(signal)).rejects.toMatchObject({ sqlState: "08001" });
  const cancelled = new AbortController();
  const first = service.acquire(cancelled.signal);
  cancelled.abort(new SqlError("57014", "cancelled"));
  await expect(first).rejects.toMatchObject({ sqlState: "57014" });
  hanging = false;
  await service.acquire(signal);
  await services.close();
});

test("a named secret is shown to the addresses that it is bound to, and to no others", async () => {
  const { source, opened } = recording();
  const secrets = (name: string) =>
    name === "KNOWN" ? { value: "hush", addresses: ["127.0.0.1:1", "localhost"] } : undefined;
  const services = open(source, { secrets });
  const service = await services.service(link({ address: "127.0.0.1:1", secret: "KNOWN" }));
  await service.acquire(signal);
  expect(opened).toEqual([{ address: "127.0.0.1:1", token: "hush" }]);
  await services.service(link({ address: "localhost:99", secret: "KNOWN" }));
  for (const [options, sqlState] of [
    [{ address: "127.0.0.1:2", secret: "KNOWN" }, "42501"],
    [{ address: "127.0.0.1:1", secret: "OTHER" }, "42704"],
    [{ address: "169.254.169.254:80" }, "42501"],
  ] as const)
    await expect(services.service(link(options))).rejects.toMatchObject({
      sqlState,
      message: expect.not.stringContaining("hush"),
    });
  await services.close();
});

test("an unknown wrapper is told with those that are known", async () => {
  const services = open(recording().source);
  await expect(services.service({ wrapper: "other_fdw", server: "s", options: {} })).rejects.toMatchObject({
    sqlState: "HV00N",
    hint: "It knows memory_fdw.",
  });
  await services.close();
});
