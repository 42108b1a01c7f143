import { expect, test } from "vitest";
import { consoleOrigin, isSameOrigin, localPath } from "./origin.ts";

test("changes come from pages of the same host only", () => {
  const asked = (headers: Record<string, string>) => isSameOrigin(new Headers(headers));
  expect(asked({ host: "127.0.0.1:3000", origin: "http://127.0.0.1:3000" })).toBe(true);
  expect(
    asked({ host: "inner", "x-forwarded-host": "console.example", origin: "https://console.example" }),
  ).toBe(true);
  expect(asked({ host: "127.0.0.1:3000", origin: "http://127.0.0.1:3001" })).toBe(false);
  expect(asked({ host: "127.0.0.1:3000", origin: "null" })).toBe(false);
  expect(asked({ host: "127.0.0.1:3000" })).toBe(false);
});

test("after signing in nobody is led elsewhere", () => {
  expect(localPath("/sql?query=1")).toBe("/sql?query=1");
  for (const path of [
    "//evil.example",
    "/\\evil.example",
    "https://evil.example",
    "sql",
    undefined,
    "",
    "/\t/evil.example",
  ])
    expect(localPath(path)).toBe("/");
});

test("browsers come back to where the reader is on this machine, else to the configured address", () => {
  const at = (host: string, url: string) => consoleOrigin(new Headers({ host }), url);
  expect(at("localhost:3000", "http://127.0.0.1:3000")).toBe("http://localhost:3000");
  expect(at("evil.example", "http://127.0.0.1:3000")).toBe("http://127.0.0.1:3000");
  expect(at("localhost.evil.example", "http://127.0.0.1:3000")).toBe("http://127.0.0.1:3000");
  expect(at("127.0.0.1:3000", "https://console.example.com/")).toBe("https://console.example.com");
});
