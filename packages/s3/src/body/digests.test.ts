import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { openThreadDigests } from "./digest-threads.ts";
import { createDigests, type Digests, InlineDigests, type WantedDigests } from "./digests.ts";

const algorithms = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", undefined] as const;
const every = algorithms.flatMap((checksum): WantedDigests[] => [
  { sha256: true, checksum },
  { sha256: false, checksum },
]);

async function digest(digests: Digests, body: Buffer, step: number) {
  try {
    for (let at = 0; at < body.length; at += step) {
      // Overwritten afterwards, as its owner may do.
      const chunk = Buffer.from(body.subarray(at, at + step));
      await digests.update(chunk);
      chunk.fill(0);
    }
    return await digests.finish();
  } finally {
    digests.close();
  }
}
function inline(wanted: WantedDigests, body: Buffer) {
  const digests = new InlineDigests(wanted);
  digests.update(body);
  return digests.finish();
}

test("a small body has the digests of the whole", async () => {
  for (const wanted of every)
    for (const size of [0, 1, 5000]) {
      const body = randomBytes(size);
      expect(await digest(createDigests(wanted, size), body, 999)).toEqual(inline(wanted, body));
    }
});

// A machine with a single core hashes where it reads.
test.runIf(availableParallelism() > 1)("threads compute the same, for many bodies at once", async () => {
  await Promise.all(
    Array.from({ length: 30 }, async (_, i) => {
      const wanted = every[i % every.length]!;
      const body = randomBytes(300_000 + i * 77_777);
      const digests = openThreadDigests(wanted) ?? createDigests(wanted, undefined);
      expect(await digest(digests, body, 1000 + i * 9000)).toEqual(inline(wanted, body));
    }),
  );
});

test.runIf(availableParallelism() > 1)("a body that is given up makes room for others", async () => {
  for (let i = 0; i < 100; i++) {
    const digests = openThreadDigests({ sha256: true, checksum: undefined });
    expect(digests).toBeDefined();
    await digests?.update(randomBytes(100_000));
    digests?.close();
  }
});
