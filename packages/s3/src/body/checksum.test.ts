import { describe, expect, it } from "vitest";
import { type ChecksumAlgorithm, combineCrc, createChecksum } from "./checksum.ts";

const hex = (algorithm: ChecksumAlgorithm, ...chunks: string[]) => {
  const sum = createChecksum(algorithm);
  for (const chunk of chunks) sum.update(Buffer.from(chunk));
  return Buffer.from(sum.digest(), "base64").toString("hex");
};

describe("createChecksum", () => {
  it.each([
    ["CRC32", "cbf43926"],
    ["CRC32C", "e3069283"],
    ["CRC64NVME", "ae8b14860a799888"],
    ["SHA1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"],
    ["SHA256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"],
  ] as const)("%s of 123456789", (algorithm, want) => {
    expect(hex(algorithm, "123456789")).toBe(want);
    expect(hex(algorithm, "1234", "", "56789")).toBe(want);
  });

  it("keeps checksums that are computed side by side apart", () => {
    const a = createChecksum("CRC32C");
    const b = createChecksum("CRC32C");
    a.update(Buffer.from("1234"));
    b.update(Buffer.from("other"));
    a.update(Buffer.from("56789"));
    expect(Buffer.from(a.digest(), "base64").toString("hex")).toBe("e3069283");
    expect(Buffer.from(b.digest(), "base64").toString("hex")).toBe(hex("CRC32C", "other"));
  });
});

describe("combineCrc", () => {
  it.each(["CRC32", "CRC32C", "CRC64NVME"] as const)("%s", (algorithm) => {
    const of = (text: string) => {
      const sum = createChecksum(algorithm);
      sum.update(Buffer.from(text));
      return sum.digest();
    };
    for (const [a, b] of [
      ["12345", "6789"],
      ["", "x"],
      ["x", ""],
      ["a".repeat(9000), "b".repeat(70001)],
    ] as const) {
      expect(combineCrc(algorithm, of(a), of(b), b.length)).toBe(of(a + b));
    }
  });
});
