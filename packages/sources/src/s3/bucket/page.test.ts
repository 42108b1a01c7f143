import { expect, test } from "vitest";
import { readPage } from "./page.ts";

const contents = (key: string, more = "") =>
  `<Contents><Key>${key}</Key><LastModified>2024-01-01T00:00:00.789Z</LastModified><Size>7</Size>${more}</Contents>`;

test("all that other services write", () => {
  const { objects, next } = readPage(`<?xml version="1.0"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Name>b</Name><EncodingType>url</EncodingType><Prefix/>
  <Contents>
    <Key>a%20b+c%2B%E2%82%AC/%3Cx%3E</Key>
    <LastModified>2024-01-01T00:00:00.789Z</LastModified>
    <ETag>&#34;0cc175b9c0f1b6a831c399e269772661-2&quot;</ETag>
    <ChecksumAlgorithm>CRC32</ChecksumAlgorithm>
    <Size>12345678901</Size>
    <Owner><ID>i</ID><DisplayName>Size</DisplayName></Owner>
    <RestoreStatus/>
    <StorageClass>GLACIER</StorageClass>
  </Contents>
  ${contents("plain")}
  <IsTruncated>true</IsTruncated>
  <NextContinuationToken>a&amp;b==</NextContinuationToken>
</ListBucketResult>`);
  expect(objects).toEqual([
    {
      key: "a b c+€/<x>",
      size: 12345678901,
      etag: "0cc175b9c0f1b6a831c399e269772661-2",
      modified: Date.UTC(2024, 0, 1),
      storageClass: "GLACIER",
    },
    { key: "plain", size: 7, etag: "", modified: Date.UTC(2024, 0, 1), storageClass: "STANDARD" },
  ]);
  expect(next).toBe("a&b==");
});

test("keys that are not encoded stay as they are", () => {
  const { objects, next } = readPage(
    `<ListBucketResult><IsTruncated>false</IsTruncated>${contents("a%20b+c &amp;&lt;d&gt; é")}</ListBucketResult>`,
  );
  expect(objects.map(({ key }) => key)).toEqual(["a%20b+c &<d> é"]);
  expect(next).toBeUndefined();
  expect(readPage("<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>").objects).toEqual([]);
});

test.each([
  ["%00", "22021"],
  ["%FF", "22021"],
  ["%E2%82", "22021"],
])("the key %s is told", (key, sqlState) => {
  expect(() =>
    readPage(`<ListBucketResult><EncodingType>url</EncodingType>${contents(key)}</ListBucketResult>`),
  ).toThrow(expect.objectContaining({ sqlState }));
});

test("a listing that is cut short is an error", () => {
  for (const cut of ["<Contents>", contents("a").slice(0, -15), "<Contents><Size>1</Size></Contents>"])
    expect(() => readPage(`<ListBucketResult>${cut}`)).toThrow(
      expect.objectContaining({ sqlState: "08P01" }),
    );
});
