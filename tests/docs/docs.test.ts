import { existsSync } from "node:fs";
import { glob, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { optionsPage } from "../../scripts/docs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = ["README.md", ...(await Array.fromAsync(glob("{docs,deploy}/**/*.md", { cwd: root })))];

test("docs/options.md is what `npm run docs` makes", async () => {
  expect(await readFile(join(root, "docs/options.md"), "utf8")).toBe(optionsPage);
});

test.each(pages)("links of %s lead somewhere", async (page) => {
  const text = await readFile(join(root, page), "utf8");
  for (const [, target] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g))
    if (!/^[a-z]+:/.test(target!)) expect(existsSync(join(root, dirname(page), target!)), target).toBe(true);
});
