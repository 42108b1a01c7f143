import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { screenshot, type TestConsole } from "./console.ts";
import { expectAccessible } from "./page-checks.ts";
import { contentOf, keysIn, putObject } from "./storage-samples.ts";

/** What the pages of buckets, folders and objects change. */
export function storageChangeTests(running: () => TestConsole): void {
  test("an upload in parts that was interrupted is gone on with by a later visit", async () => {
    await using folder = await temporaryFolder();
    const content = randomBytes(20 * 1024 ** 2);
    const file = join(folder.path, "photo 1.raw");
    await writeFile(file, content);
    const { context, page } = await running().signIn();
    const parts: string[] = [];
    page.on("requestfinished", (request) => {
      const part = new URL(request.url()).searchParams.get("partNumber");
      if (part && request.method() === "PUT") parts.push(part);
    });
    const uploads = page.getByRole("region", { name: "Uploads" });
    await context.route(/partNumber=3/, (route) => route.abort());
    await page.goto("/storage/shop?prefix=raw/");
    await page.locator("input[type=file]").first().setInputFiles(file);
    await uploads.getByRole("progressbar", { name: "Progress of photo 1.raw" }).waitFor();
    await uploads.getByText("0 of 1 uploaded, 1 to look at").waitFor();
    await expectAccessible(page, "an upload that failed");
    await context.unroute(/partNumber=3/);
    await page.reload();
    await page.locator("input[type=file]").first().setInputFiles(file);
    await uploads.getByText("1 of 1 uploaded").waitFor();
    await page.getByRole("link", { name: "photo 1.raw" }).waitFor();
    expect(parts).toEqual(["1", "2", "3"]);
    expect((await contentOf(running(), "raw/photo 1.raw")).equals(content)).toBe(true);
    await context.close();
  });

  test("the gateway takes uploads from pages of the console, by address and by name, and from no others", async () => {
    const { connections } = running();
    const asked = async (origin: string) => {
      const headers = { origin, "access-control-request-method": "PUT" };
      const answer = await fetch(`${connections.s3.endpoint}/sample/file`, { method: "OPTIONS", headers });
      return [answer.status, answer.headers.get("access-control-allow-origin")];
    };
    const { origin } = new URL(connections.console.url);
    const named = origin.replace("127.0.0.1", "localhost");
    expect(await asked(origin)).toEqual([200, origin]);
    expect(await asked(named)).toEqual([200, named]);
    expect(await asked("https://example.com")).toEqual([403, null]);
  });

  // Chromium's own process of a page ended once while it took a folder: that alone is tried again.
  const retry = { count: 1, condition: /Target crashed/ };
  test("files and folders are uploaded, and replace what is there only where that is allowed", {
    retry,
  }, async () => {
    const prefix = `up-${randomBytes(4).toString("hex")}`;
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "album/spring"), { recursive: true });
    await writeFile(join(folder.path, "album/one.txt"), "one");
    await writeFile(join(folder.path, "album/spring/two é.txt"), "two");
    const { context, page, problems } = await running().signIn();
    const uploads = page.getByRole("region", { name: "Uploads" });
    await page.goto(`/storage/shop?prefix=${prefix}/`);
    await page.locator("input[type=file]").nth(1).setInputFiles(join(folder.path, "album"));
    // The folder shows with its first object.
    await page.getByRole("link", { name: "album" }).waitFor();
    await uploads.getByText("2 of 2 uploaded").waitFor();
    expect(String(await contentOf(running(), `${prefix}/album/spring/two é.txt`))).toBe("two");
    await dropFile(page, "three.txt", "first");
    await page.getByRole("link", { name: "three.txt" }).waitFor();
    await uploads.getByText("3 of 3 uploaded").waitFor();
    expect(problems).toEqual([]);

    await dropFile(page, "three.txt", "second");
    await uploads.getByText("There is an object of this name.").waitFor();
    await expectAccessible(page, "an upload of a name that is taken");
    await screenshot(page, "storage-uploads-light");
    expect(String(await contentOf(running(), `${prefix}/three.txt`))).toBe("first");
    await uploads.getByRole("button", { name: "Replace it" }).click();
    await uploads.getByText("3 of 3 uploaded").waitFor();
    expect(String(await contentOf(running(), `${prefix}/three.txt`))).toBe("second");
    await uploads.getByRole("button", { name: "Close the uploads" }).click();
    await uploads.waitFor({ state: "detached" });
    await context.close();
  });

  test("many are copied, moved and deleted at once, and nothing is replaced unseen", async () => {
    for (const key of ["work/a.txt", "work/b.txt", "work/keep.txt", "work/sub/c.txt", "done/a.txt"])
      await putObject(running(), key);
    const { context, page, problems } = await running().signIn();
    await page.goto("/storage/shop?prefix=work/");
    const dialog = page.getByRole("dialog");
    for (const name of ["sub", "a.txt", "b.txt"]) await page.getByLabel(`Select ${name}`).check();
    await page.getByText("3 selected").waitFor();
    await page.getByRole("button", { name: "Copy or move" }).click();
    await dialog.getByLabel("Folder").fill("done");
    await expectAccessible(page, "where to move");
    await dialog.getByRole("button", { name: "Move" }).click();
    await dialog.getByText("Done for 2, not for 1.\nwork/a.txt: There is an object of this name").waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    await page.getByText("1 selected").waitFor();
    expect(await keysIn(running(), "shop")).toEqual(
      expect.arrayContaining(["done/a.txt", "done/b.txt", "done/sub/c.txt", "work/a.txt", "work/keep.txt"]),
    );
    expect(String(await contentOf(running(), "done/a.txt"))).toBe("done/a.txt");

    await page.getByRole("button", { name: "Copy or move" }).click();
    await dialog.getByLabel("Bucket").selectOption("onedrive");
    await dialog.getByRole("button", { name: "Copy" }).click();
    await dialog.waitFor({ state: "hidden" });
    expect(await keysIn(running(), "onedrive")).toContain("work/a.txt");

    await page.goto("/storage/shop?prefix=done/");
    await page.getByLabel("Select all that is shown").check();
    await page.getByRole("button", { name: "Delete" }).click();
    await expectAccessible(page, "what will be deleted");
    expect(await keysIn(running(), "shop")).toContain("done/sub/c.txt");
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByText("This folder is empty").waitFor();
    expect(await keysIn(running(), "shop", "done/")).toEqual([]);
    expect(problems).toEqual([]);
    await context.close();
  });

  test("an object is shared by a link, renamed and deleted", async () => {
    await putObject(running(), "mine/first.txt");
    const { context, page, problems } = await running().signIn();
    await page.goto("/storage/shop/object?key=mine/first.txt");
    await page.getByRole("button", { name: "Share" }).click();
    await page.getByLabel("Expires after").selectOption("1 day");
    await page.getByRole("button", { name: "Make a link" }).click();
    const link = page.getByRole("dialog").locator("code");
    await expectAccessible(page, "a link");
    const url = (await link.textContent())!;
    expect(new URL(url).searchParams.get("X-Amz-Expires")).toBe("86400");
    expect(await (await fetch(url)).text()).toBe("mine/first.txt");
    await page.getByRole("button", { name: "Close" }).click();

    await page.getByRole("button", { name: "Copy or move" }).click();
    await page.getByLabel("Key").fill("mine/second 2.txt");
    await page.getByRole("button", { name: "Move", exact: true }).click();
    await page.getByRole("heading", { name: "second 2.txt" }).first().waitFor();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("This folder is empty").waitFor();
    expect(await keysIn(running(), "shop", "mine/")).toEqual([]);
    expect(problems).toEqual([]);
    await context.close();
  });
}

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "overcoat-upload-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Drops a file onto the listing of a folder. */
async function dropFile(page: Page, name: string, text: string): Promise<void> {
  const dataTransfer = await page.evaluateHandle(`
    const transfer = new DataTransfer();
    transfer.items.add(new File([${JSON.stringify(text)}], ${JSON.stringify(name)}, { type: "text/plain" }));
    transfer`);
  await page.getByRole("region", { name: "Files and folders" }).dispatchEvent("drop", { dataTransfer });
}
