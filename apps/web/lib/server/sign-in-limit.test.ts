import { expect, test } from "vitest";
import { countAttempt } from "./sign-in-limit.ts";

test("after ten attempts in a minute the next has to wait", async () => {
  for (let attempt = 0; attempt < 10; attempt++) expect(await countAttempt()).toBeUndefined();
  const wait = await countAttempt();
  expect(wait).toBeGreaterThan(0);
  expect(wait).toBeLessThanOrEqual(60);
});
