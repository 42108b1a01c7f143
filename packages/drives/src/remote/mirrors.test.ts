import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

/** Milliseconds; a process that waits for itself would wait for ever. */
const timeout = 60_000;

it.each(["is used", "is being closed"])("a mirror is opened while it %s by the same process", async (how) => {
  const folder = mkdtempSync(join(tmpdir(), "overcoat-mirrors-"));
  const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `
    const { closeMirror, openMirror } = await import(${module("mirrors.ts")});
    const { memoryTraits } = await import(${module("memory-vendor.ts")});
    const write = async (mirror, name) => {
      const item = { id: name, parent: "root", name, kind: "file", size: 1, modified: 1, version: "v" };
      await mirror.saw(name, item, mirror.mark(name));
    };
    const names = (prefix) => Array.from({ length: 20 }, (_, n) => prefix + n);
    const first = await openMirror(${JSON.stringify(folder)}, memoryTraits);
    const writes = names("a").map((name) => write(first, name));
    const closing = ${how === "is being closed"} ? closeMirror(first) : undefined;
    const second = await openMirror(${JSON.stringify(`${folder}/`)}, memoryTraits);
    writes.push(...names("b").map((name) => write(second, name)));
    await Promise.all(writes);
    await (closing ?? closeMirror(first));
    console.log([...second.children("root")].length);
    await closeMirror(second);
  `;
  try {
    const args = ["--input-type=module", "-e", script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout, killSignal: "SIGKILL" });
    expect(stdout.trim()).toBe("40");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
