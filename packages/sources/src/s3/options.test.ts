import { expect, test } from "vitest";
import { s3 } from "./index.ts";
import { objectUrl } from "./object-url.ts";
import { readSettings } from "./options.ts";

test.each([
  [{}, "https://b-1.s3.us-east-1.amazonaws.com/a/b%20c%2B%28%C3%A9%29"],
  [{ region: "eu-west-1" }, "https://b-1.s3.eu-west-1.amazonaws.com/a/b%20c%2B%28%C3%A9%29"],
  [{ region: "cn-north-1" }, "https://b-1.s3.cn-north-1.amazonaws.com.cn/a/b%20c%2B%28%C3%A9%29"],
  [{ path_style: "on" }, "https://s3.us-east-1.amazonaws.com/b-1/a/b%20c%2B%28%C3%A9%29"],
  [{ endpoint: "http://127.0.0.1:9000" }, "http://127.0.0.1:9000/b-1/a/b%20c%2B%28%C3%A9%29"],
  [{ endpoint: "http://s3.local/x/", path_style: "f" }, undefined],
  [{ endpoint: "http://s3.local/x/", path_style: "false" }, "http://b-1.s3.local/x/a/b%20c%2B%28%C3%A9%29"],
])("with %j objects lie at %s", (options, url) => {
  if (url === undefined)
    return expect(() => readSettings(options)).toThrow(expect.objectContaining({ sqlState: "HV00D" }));
  expect(objectUrl(readSettings(options), "b-1")("a/b c+(é)")).toBe(url);
});

test("addresses to be allowed, also while the secret is not there yet", () => {
  expect(s3.addresses({})).toEqual(["s3.us-east-1.amazonaws.com:443"]);
  expect(s3.addresses({ endpoint: "http://127.0.0.1:9000", access_key_id: "a" })).toEqual(["127.0.0.1:9000"]);
  expect(s3.addresses({ endpoint: "https://minio.local" })).toEqual(["minio.local:443"]);
  expect(() => s3.addresses({ endpoint: "http://user:password@host" })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining("password@") }),
  );
});

test("no option of libpq or postgres_fdw is ours", () => {
  const stock = ["host", "port", "user", "password", "dbname", "options", "service", "sslmode", "fetch_size"];
  const { server, user, table } = s3.options;
  for (const name of stock) for (const level of [server, user, table]) expect(level).not.toHaveProperty(name);
  for (const level of [server, user, table])
    for (const { synonymOf } of Object.values(level)) if (synonymOf) expect(level).toHaveProperty(synonymOf);
});
