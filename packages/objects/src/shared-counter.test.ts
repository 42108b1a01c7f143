import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { SharedCounter } from "./shared-counter.ts";

it("is seen by other processes and kept for later ones", () => {
  const folder = mkdtempSync(join(tmpdir(), "counter-"));
  try {
    const file = join(folder, "changes");
    const mine = new SharedCounter(file);
    // The disk has room for it from the beginning.
    expect(statSync(file).blocks).toBeGreaterThan(0);
    const before = mine.value;
    const module = new URL("shared-counter.ts", import.meta.url).href;
    const script = `
      const { SharedCounter } = await import(${JSON.stringify(module)});
      const theirs = new SharedCounter(${JSON.stringify(file)});
      theirs.increase();
      console.log(theirs.value);
      theirs.close();
    `;
    const seen = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect(mine.value).toBe(before + 1);
    expect(Number(seen)).toBe(before + 1);
    mine.close();
    expect(() => mine.value).toThrow("closed");
    const later = new SharedCounter(file);
    expect(later.value).toBe(before + 1);
    later.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
