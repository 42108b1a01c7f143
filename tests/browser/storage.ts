import { readFile } from "node:fs/promises";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test } from "vitest";
import type { TestConsole } from "./console.ts";
import { expectAccessible } from "./page-checks.ts";
import { contentOf, oddKey, putObject } from "./storage-samples.ts";

/** What the pages of buckets, folders and objects show. */
export function storageTests(running: () => TestConsole): void {
  test("buckets of all remotes lead to folders and objects, whatever their names", async () => {
    const { context, page, problems } = await running().signIn();
    await page.goto("/storage");
    await page.getByRole("row", { name: /onedrive onedrive · onedrive:/ }).waitFor();
    await page.getByRole("link", { name: "shop" }).click();
    for (const name of ["odd", "(no name)", "a b%20ü", "+x#?&=.txt"])
      await page.getByRole("link", { name, exact: true }).click();
    await page.getByRole("heading", { name: "+x#?&=.txt" }).waitFor();
    await page.getByText(oddKey, { exact: true }).waitFor();
    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download" }).click();
    const download = await downloading;
    expect(await readFile(await download.path(), "utf8")).toBe("an odd key\n");
    await page.getByRole("navigation", { name: "Folders" }).getByRole("link", { name: "odd" }).click();
    await page.getByRole("heading", { name: "odd" }).waitFor();
    expect(problems).toEqual([]);
    await context.close();
  });

  test("an object shows its headers, metadata and tags", async () => {
    const { context, page, problems } = await running().signIn();
    await page.goto("/storage/shop/object?key=orders.csv");
    for (const text of ["text/csv", "max-age=60", "till-4", "raw"])
      await page.getByRole("definition").filter({ hasText: text }).waitFor();
    await page.goto("/storage/shop/object?key=missing.csv");
    await page.getByText("There is no such object").waitFor();
    await page.goto("/storage/missing");
    await page.getByText("The specified bucket does not exist").waitFor();
    expect(problems).toEqual([]);
    await context.close();
  });

  test("large folders come in pages", async () => {
    const { context, page, problems } = await running().signIn();
    await page.goto("/storage/shop?prefix=many/");
    await page.getByText("100 shown").waitFor();
    await page.getByRole("link", { name: "Next page" }).click();
    await page.getByText("2 shown").waitFor();
    await page.getByRole("link", { name: "1101.txt" }).waitFor();
    await page.getByRole("link", { name: "First page" }).click();
    await page.getByRole("link", { name: "1000.txt" }).waitFor();
    expect(problems).toEqual([]);
    await context.close();
  });

  test("previews show images, tables and texts, and no more than their beginning", async () => {
    const put = (key: string, body: string | Uint8Array) => putObject(running(), key, body);
    const pixel =
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    const numbers = Array.from({ length: 250 }, (_, i) => i);
    const columnData = [
      { name: "id", data: numbers },
      { name: "word", data: numbers.map((i) => `word ${i}`) },
    ];
    await put("see/pixel.png", Buffer.from(pixel, "base64"));
    await put("see/words.parquet", new Uint8Array(parquetWriteBuffer({ columnData })));
    // What is read of it ends within a character.
    await put("see/long.txt", `x${"é".repeat(40_000)}`);
    await put("see/long.csv", `n,square\n${numbers.map((i) => `${i},${i * i}\n`).join("")}`);
    await put("see/noise.bin", new Uint8Array(100));
    const { context, page, problems } = await running().signIn();
    const see = async (key: string, text: string) => {
      await page.goto(`/storage/shop/object?key=${key}`);
      await page.getByText(text).waitFor();
    };
    await see("orders.csv", "all 3 rows");
    await page.getByRole("cell", { name: "scarf, wool" }).waitFor();
    await see("see/long.csv", "the first 100 rows");
    await page.getByRole("cell", { name: "9801" }).waitFor();
    await see("see/words.parquet", "100 of 250 rows");
    await page.getByRole("cell", { name: "word 99" }).waitFor();
    await see("prices.json", '"coat": 129');
    await see("see/long.txt", "the first 64 KiB");
    await expectAccessible(page, "the preview of a text");
    await see("see/noise.bin", "This kind of file cannot be shown.");
    await page.goto("/storage/shop/object?key=see/pixel.png");
    await page.getByRole("img", { name: "What pixel.png shows" }).waitFor();
    await expect.poll(() => page.evaluate("document.querySelector('main img').naturalWidth")).toBe(1);
    expect(problems).toEqual([]);
    await context.close();
  });

  test("earlier versions are listed, downloaded and restored where the remote keeps them", async () => {
    const { storage } = running();
    const object = { Bucket: "onedrive", Key: "letter.txt" };
    for (const Body of ["first draft", "second"])
      await storage.send(new PutObjectCommand({ ...object, Body }));
    const { context, page, problems } = await running().signIn();
    await page.goto("/storage/onedrive/object?key=letter.txt");
    const row = page
      .getByRole("region", { name: "Versions" })
      .getByRole("row")
      .filter({ hasText: "11 bytes" });
    const downloading = page.waitForEvent("download");
    await row.getByRole("link", { name: "Download" }).click();
    expect(await readFile(await (await downloading).path(), "utf8")).toBe("first draft");
    await expectAccessible(page, "versions");
    await row.getByRole("button", { name: "Restore" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
    await page
      .getByRole("row")
      .filter({ hasText: "11 bytes" })
      .filter({ hasText: "The present one" })
      .waitFor();
    expect(String(await contentOf(running(), object.Key, object.Bucket))).toBe("first draft");
    expect(problems).toEqual([]);
    await context.close();
  });
}
