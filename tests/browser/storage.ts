import { readFile } from "node:fs/promises";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { openStorage, type TestConsole } from "./console.ts";

const orders = 'id,item,price\n1,coat,129.00\n2,"scarf, wool",35.50\n3,hat,24.00\n';
const oddKey = "odd//a b%20ü/+x#?&=.txt";

/** Puts objects where pages and tests look for them. */
export async function putSamples({ connections }: TestConsole): Promise<void> {
  const client = openStorage(connections);
  await client.send(new CreateBucketCommand({ Bucket: "shop" }));
  const put = (Key: string, Body: string, more: object = {}) =>
    client.send(new PutObjectCommand({ Bucket: "shop", Key, Body, ...more }));
  await put("orders.csv", orders, {
    ContentType: "text/csv",
    CacheControl: "max-age=60",
    Metadata: { source: "till-4" },
    Tagging: "stage=raw",
  });
  await put("archive/2025.csv", orders);
  await put("prices.json", '{"coat":129,"hat":[24,26]}');
  await put(oddKey, "an odd key\n");
  await Promise.all(Array.from({ length: 102 }, (_, i) => put(`many/${1000 + i}.txt`, `${i}\n`)));
  client.destroy();
}

/** What the pages of buckets, folders and objects do. */
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
}
