import { describe, expect, it } from "vitest";
import { type Context, locationOf } from "./context.ts";
import { Forwarded } from "./forwarded.ts";

describe("locationOf", () => {
  const at = (bucketPath: string, publicUrl?: string) =>
    locationOf(
      {
        request: { headers: { host: "s3.example:9000" }, socket: {} },
        service: { publicUrl, forwarded: new Forwarded() },
        bucket: "b",
        bucketPath,
      } as unknown as Context,
      "a b/ü+.txt",
    );
  it.each([
    ["/b", undefined, "http://s3.example:9000/b/a%20b/%C3%BC%2B.txt"],
    ["/base/b", undefined, "http://s3.example:9000/base/b/a%20b/%C3%BC%2B.txt"],
    ["", undefined, "http://s3.example:9000/a%20b/%C3%BC%2B.txt"],
    ["/b", "https://files.example/s3/", "https://files.example/s3/b/a%20b/%C3%BC%2B.txt"],
  ])("is below %j and %j", (bucketPath, publicUrl, location) =>
    expect(at(bucketPath, publicUrl)).toBe(location),
  );
});
