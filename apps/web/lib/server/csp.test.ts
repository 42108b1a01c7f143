import { expect, test } from "vitest";
import { contentSecurityPolicy } from "./csp.ts";

test("scripts need the nonce, and only files come from elsewhere", () => {
  const policy = contentSecurityPolicy("abc", "http://127.0.0.1:9000");
  expect(policy).toContain("script-src 'self' 'nonce-abc' 'strict-dynamic'");
  expect(policy).toContain("connect-src 'self' http://127.0.0.1:9000");
  expect(policy).not.toMatch(/unsafe|\*/);
  expect(contentSecurityPolicy("abc", undefined)).not.toContain("undefined");
});
