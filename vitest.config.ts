import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // As in the console and in the edge functions.
  resolve: { alias: { "@": fileURLToPath(new URL("apps/web", import.meta.url)) } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "apps/**/*.test.ts", "tests/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
