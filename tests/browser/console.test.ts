import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openConsole, screenshot, type TestConsole } from "./console.ts";
import { checkPage, expectAccessible } from "./page-checks.ts";
import { putRemote, remotesTests } from "./remotes.ts";
import { storageTests } from "./storage.ts";
import { storageChangeTests } from "./storage-changes.ts";
import { putSamples } from "./storage-samples.ts";

let console: TestConsole;

beforeAll(async () => {
  console = await openConsole();
  await putSamples(console);
  await putRemote(console);
}, 300_000);
afterAll(() => console?.[Symbol.asyncDispose](), 60_000);

/** Replaces the text in the editor, as somebody who pastes. */
async function write(page: Page, text: string): Promise<void> {
  await page.locator(".cm-content").click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText(text);
}

describe("signing in", () => {
  test("takes the password only, and leads to where the reader wanted", async () => {
    const { context, page } = await console.open();
    await page.goto("/connect?with=aws");
    expect(new URL(page.url()).pathname).toBe("/sign-in");
    await screenshot(page, "sign-in-light");
    await expectAccessible(page, "sign-in");
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").filter({ hasText: "not the password" }).waitFor();
    await expectAccessible(page, "sign-in with an error");
    await page.getByLabel("Password").fill(console.connections.console.password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Connect" }).waitFor();
    expect(new URL(page.url()).search).toBe("?with=aws");
    const [session] = (await context.cookies()).filter(({ name }) => name.includes("session"));
    expect(session).toMatchObject({ httpOnly: true, sameSite: "Strict" });
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goto("/sql");
    expect(new URL(page.url()).pathname).toBe("/sign-in");
    await context.close();
  });

  test("nothing answers without a session, nor to another site's page with one", async () => {
    const { url } = console.connections.console;
    const ask = (path: string, headers: Record<string, string> = {}) =>
      fetch(`${url}${path}`, {
        method: "POST",
        redirect: "manual",
        headers: { "content-type": "application/json", ...headers },
        body: '{"text": "SELECT 1"}',
      });
    expect((await ask("/api/sql/run", { origin: url })).status).toBe(401);
    expect((await ask("/api/storage/sign", { origin: url })).status).toBe(401);
    for (const path of ["/api/activity", "/api/storage/content?use=save&bucket=shop&key=orders.csv"])
      expect((await fetch(`${url}${path}`)).status).toBe(401);
    expect((await fetch(`${url}/sql`, { redirect: "manual" })).headers.get("location")).toContain("/sign-in");
    const { context } = await console.signIn();
    const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    expect((await ask("/api/sql/run", { origin: url, cookie })).status).toBe(200);
    expect((await ask("/api/sql/run", { origin: "https://evil.example", cookie })).status).toBe(403);
    expect((await ask("/api/sql/run", { cookie })).status).toBe(403);
    const forged = cookie.replace(/\.[\w-]+$/, `.${"A".repeat(43)}`);
    expect((await ask("/api/sql/run", { origin: url, cookie: forged })).status).toBe(401);
    await context.close();
  });
});

test.each([
  ["/", "overview"],
  ["/storage/shop", "storage"],
  ["/storage/shop/object?key=orders.csv", "storage-object"],
  ["/remotes", "remotes"],
  ["/files", "files"],
  ["/sessions", "sessions"],
  ["/users", "users"],
  ["/sql", "sql"],
  ["/activity", "activity"],
  ["/connect", "connect"],
])("%s is accessible, fast and steady in light, dark and on a telephone", (path, name) =>
  checkPage(console, path, name),
);

test("no page has a secret in it", async () => {
  const { context, page } = await console.signIn();
  const texts: Promise<string>[] = [];
  page.on("response", (response) => texts.push(response.text().catch(() => "")));
  for (const path of [
    "/",
    "/storage",
    "/storage/shop",
    "/storage/shop/object?key=orders.csv",
    "/remotes",
    "/remotes?again=dropbox",
    "/files",
    "/sessions",
    "/users",
    "/sql",
    "/activity",
    "/connect",
    "/connect?with=psql",
  ]) {
    const response = await page.goto(path, { waitUntil: "networkidle" });
    const policy = response!.headers()["content-security-policy"];
    expect(policy).toMatch(/script-src 'self' 'nonce-[^']+' 'strict-dynamic';/);
    expect(policy).not.toContain("unsafe");
  }
  const all = (await Promise.all(texts)).join("\n");
  expect(all).toContain(console.connections.s3.accessKeyId);
  for (const secret of console.secrets) expect(all.includes(secret)).toBe(false);
  await context.close();
});

test("the overview shows what works, and tests the storage", async () => {
  const { context, page, problems } = await console.signIn();
  await page.goto("/");
  const step = (title: string) => page.getByRole("listitem").filter({ hasText: title });
  for (const title of [
    "Prepare a remote",
    "Expose storage as S3",
    "Configure credentials",
    "Enable the extensions",
  ])
    await step(title).getByText("Done", { exact: true }).waitFor({ state: "attached" });
  for (const title of ["Map sessions of Redis", "Map users of Auth0", "Map files in S3"])
    await step(title)
      .getByText(/answers in \d+ ms/)
      .waitFor();
  await step("Grant applications access").click();
  await page.getByRole("button", { name: "Run the test" }).click();
  await page
    .getByText(/bytes went there and back/)
    .first()
    .waitFor();
  await context.close();
  expect(problems).toEqual([]);
});

describe("the tables", () => {
  test("sessions are found by how their ids begin, shown whole, and ended", async () => {
    const { context, page, problems } = await console.signIn();
    await page.goto("/sessions");
    await page.getByRole("searchbox").fill("9");
    await page.keyboard.press("Enter");
    await page.getByText("1 shown, which is all").waitFor();
    await page.getByRole("button", { name: "9c01" }).click();
    await page.locator("code").filter({ hasText: '"cleo@example.com"' }).waitFor();
    await expectAccessible(page, "a session");
    await page.getByRole("button", { name: "End the session" }).click();
    expect(await console.redis.get("session:9c01")).not.toBeNull();
    await page
      .getByRole("dialog", { name: "End this session?" })
      .getByRole("button", { name: "End the session" })
      .click();
    await page.getByText("0 shown").waitFor();
    expect(await console.redis.get("session:9c01")).toBeNull();
    await page.goto("/sessions?q=no such");
    await page.getByText("No session has such an id").waitFor();
    expect(problems).toEqual([]);
    await context.close();
  });

  test("users are found by address, blocked and let in again", async () => {
    const { context, page, problems } = await console.signIn();
    await page.goto("/users?q=dan");
    const row = page.getByRole("row", { name: /dan@example\.com/ });
    await row.getByText("Active").waitFor();
    await row.getByRole("button").click();
    for (const [label, title, state] of [
      ["Block", "Block this user?", "Blocked"],
      ["Unblock", "Unblock this user?", "Active"],
    ] as const) {
      await page.getByRole("button", { name: label, exact: true }).click();
      await page
        .getByRole("dialog", { name: title })
        .getByRole("button", { name: label, exact: true })
        .click();
      await row.getByText(state).waitFor();
    }
    await expectAccessible(page, "a user");
    expect(problems).toEqual([]);
    await context.close();
  });

  test("files are found by how their names begin", async () => {
    const { context, page, problems } = await console.signIn();
    await page.goto("/files?q=no such");
    await page.getByText("No file has such a name").waitFor();
    await page.goto("/files");
    await page.getByText("which is all").waitFor();
    await page.getByRole("table").getByRole("button").first().click();
    await page.getByRole("dialog").waitFor();
    await expectAccessible(page, "a file");
    expect(problems).toEqual([]);
    await context.close();
  });
});

describe("storage", () => {
  storageTests(() => console);
  storageChangeTests(() => console);
});
describe("remotes", () => remotesTests(() => console));

describe("the SQL page", () => {
  test("runs a query, and tells what the service was asked", async () => {
    const { context, page, problems } = await console.signIn({ viewport: { width: 1280, height: 860 } });
    await page.goto("/sql");
    await write(
      page,
      "SELECT session_id, payload->>'user' AS who FROM redis_sessions WHERE session_id = '4f3a'",
    );
    await page.keyboard.press("ControlOrMeta+Enter");
    await page.getByRole("cell", { name: "ann" }).waitFor();
    await page.getByText("GET session:4f3a").waitFor();
    await page.getByRole("button", { name: "time each step" }).click();
    await page.getByText("Foreign Scan on redis_sessions").waitFor();
    await screenshot(page, "sql-results-light");
    await expectAccessible(page, "SQL with results");

    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "CSV" }).click();
    const download = await downloading;
    expect(await readFile(await download.path(), "utf8")).toBe("session_id,who\r\n4f3a,ann\r\n");

    await write(page, "SELECT 1,\n  nonsense");
    await page.getByRole("button", { name: "Run" }).first().click();
    await page.getByText("Line 2, column 3").waitFor();
    expect(problems.filter((text) => !text.includes("422"))).toEqual([]);
    await context.close();
  });

  test("completes names of tables and columns", async () => {
    const { context, page } = await console.signIn();
    await page.goto("/sql");
    await write(page, "SELECT * FROM ");
    await page.keyboard.type("auth");
    const option = (name: string) => page.locator(".cm-tooltip-autocomplete li", { hasText: name });
    await option("auth0_users").waitFor();
    await page.keyboard.press("Enter");
    await page.keyboard.type(" WHERE auth0_users.em");
    await option("email").waitFor();
    await context.close();
  });

  test("cancels, and changes something only where that is allowed", async () => {
    const { context, page } = await console.signIn();
    await page.goto("/sql");
    const run = async (text: string) => {
      await write(page, text);
      await page.getByRole("button", { name: "Run", exact: true }).click();
    };
    await run("SELECT pg_sleep(600)");
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByText("Cancelled.").waitFor();
    await run("CREATE TABLE notes (n int)");
    await page.getByText("read-only transaction").waitFor();
    await page.getByLabel("Allow changes").check();
    await run("CREATE TABLE notes (n int); DROP TABLE notes");
    await page.getByRole("heading", { name: /^DROP/ }).waitFor();
    await context.close();
  });
});

test("activity follows what the gateway does", async () => {
  const { context, page } = await console.signIn();
  await page.goto("/activity");
  await page.getByText("ListBuckets").waitFor({ timeout: 20_000 });
  await context.close();
});

test("snippets are copied as they are shown", async () => {
  const { context, page } = await console.signIn();
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto("/connect?with=aws");
  await page.getByRole("button", { name: "Copy environment" }).click();
  await expect
    .poll(() => page.evaluate<string>("navigator.clipboard.readText()"))
    .toContain(`AWS_ENDPOINT_URL=${console.connections.s3.endpoint}`);
  await page.getByRole("link", { name: "DuckDB" }).click();
  await page.getByText("INSTALL httpfs").waitFor();
  await context.close();
});

test("the navigation and the colours work by keyboard", async () => {
  const { context, page } = await console.signIn();
  await page.goto("/");
  await page.keyboard.press("Tab");
  expect(await page.evaluate<string>("document.activeElement.textContent")).toBe("Skip to the content");
  await page.keyboard.press("Enter");
  expect(new URL(page.url()).hash).toBe("#content");
  await page.getByRole("link", { name: "Activity" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Activity" }).waitFor();
  const colours = page.getByRole("button", { name: /^Colours/ });
  await colours.focus();
  for (const theme of ["light", "dark"]) {
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator("html").getAttribute("data-theme")).toBe(theme);
  }
  await page.reload();
  expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
  await context.close();
});
