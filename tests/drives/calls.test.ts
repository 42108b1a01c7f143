import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStage, type Stage } from "./stage.ts";
import { bucket } from "./stage-objects.ts";
import { drives } from "./stand-ins.ts";

const metadata = { user: { colour: "green" } };
const many = Array.from({ length: 100 }, (_, index) => `many/${String(index).padStart(3, "0")}`);

describe.each(Object.entries(drives))("the calls to %s", (_, drive) => {
  let made: Stage;
  beforeAll(async () => {
    const files = Object.fromEntries([...many, "many/kept", "a", "folder/b", "d"].map((key) => [key, key]));
    made = await openStage(drive, { files, pollInterval: 600_000 });
    await made.synced();
    // The folders for metadata are made once.
    await made.objects.putObject(bucket, "first", "1", { metadata });
  });
  afterAll(() => made?.[Symbol.asyncDispose]());

  async function expectAtMost(most: number, act: () => Promise<unknown>): Promise<void> {
    made.server.calls.reset();
    await act();
    const { calls } = made.server.calls.counts;
    const counted = Object.entries(calls).filter(([endpoint]) => !drive.follows?.test(endpoint));
    const total = counted.reduce((sum, [, times]) => sum + times, 0);
    expect(total, JSON.stringify(calls)).toBeLessThanOrEqual(most);
  }
  const head = (key: string) => made.objects.headObject(bucket, key);

  test("HEAD takes none", async () => {
    await expectAtMost(0, () => head("folder/b"));
    await expectAtMost(0, () => head("missing").catch(() => undefined));
    await expectAtMost(0, () => made.objects.bucketExists(bucket));
  });

  test("LIST takes none", async () => {
    await expectAtMost(0, async () => {
      expect(await made.keys()).toHaveLength(105);
      await made.objects.listObjects(bucket, { delimiter: "/" });
      await made.objects.listObjects(bucket, { prefix: "many/0" });
    });
  });

  test("GET takes the address and the bytes, and then the bytes alone", async () => {
    await expectAtMost(drive.fewest.getCold, () => made.get("a"));
    await expectAtMost(drive.fewest.get, () => made.get("a"));
    await using object = await made.objects.getObject(bucket, "a");
    await expectAtMost(drive.fewest.get, async () => object.readBytes(0, 1));
    await expectAtMost(0, () => made.get("missing").catch(() => undefined));
  });

  test("PUT takes one, and one more for what the drive cannot keep with the bytes", async () => {
    const bytes = randomBytes(100_000);
    await expectAtMost(drive.fewest.put, () => made.put("new", bytes));
    await expectAtMost(drive.fewest.get, () => made.get("new"));
    await expectAtMost(drive.fewest.put, () => made.put("new", bytes));
    const typed = { metadata: { headers: { "content-type": "text/html" } } };
    await expectAtMost(drive.fewest.put, () => made.objects.putObject(bucket, "page.html", "<p>", typed));
    await expectAtMost(drive.fewest.putWithMetadata, () =>
      made.objects.putObject(bucket, "second", bytes, { metadata }),
    );
    await expectAtMost(0, async () => expect((await head("second")).metadata.user).toEqual(metadata.user));
  });

  test("conditions are the drive's to decide where it can", async () => {
    await expectAtMost(drive.fewest.putWithCondition, () =>
      made.objects.putObject(bucket, "fresh", "1", { conditions: { ifNoneMatch: "*" } }),
    );
    const { etag } = await head("fresh");
    await expectAtMost(drive.fewest.putWithCondition, () =>
      made.objects.putObject(bucket, "fresh", "2", { conditions: { ifMatch: etag } }),
    );
  });

  test("a large PUT takes its fragments", async () => {
    await expectAtMost(drive.fewest.putLarge, () => made.put("large", made.large));
  });

  test("copies and renames are the drive's", async () => {
    await made.put("source", made.small);
    await expectAtMost(drive.fewest.copy, () =>
      made.objects.copyObject({ bucket, key: "source" }, bucket, "copy"),
    );
    await expectAtMost(drive.fewest.rename, () => made.objects.renameObject(bucket, "d", "renamed"));
  });

  test("DELETE takes one, and many go together", async () => {
    await expectAtMost(drive.fewest.delete, () => made.objects.deleteObject(bucket, "a"));
    await expectAtMost(drive.fewest.deleteHundred, () => made.objects.deleteObjects(bucket, many));
    await expectAtMost(0, () => made.objects.deleteObject(bucket, "missing"));
  });
});
