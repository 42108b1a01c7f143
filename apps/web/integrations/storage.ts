import { AwsClient } from "aws4fetch";
import { WrapperError } from "./errors.ts";

/** The bucket behind `s3_files`, and a key to it. */
export interface Storage {
  /** URL of the S3 service, without the bucket. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** `us-east-1` where not given. */
  readonly region?: string;
}

/** Whether a presigned URL can carry a key: URLs have no segments `.` and `..`. */
export const isPresignable = (key: string) => !key.split("/").some((part) => part === "." || part === "..");

/** The parameters of a presigned download that browsers save under a name. */
export const saveAsParameters = (name: string) => ({
  "response-content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name).replaceAll("'", "%27")}`,
});

/**
 * A URL by which anybody may do one thing with one object for some time: no request is sent.
 * @param seconds for which it is good, up to a week
 */
export async function presign(
  storage: Storage,
  method: "GET" | "PUT" | "POST" | "DELETE",
  key: string,
  seconds: number,
  parameters: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { endpoint, bucket, accessKeyId, secretAccessKey, region = "us-east-1" } = storage;
  const url = URL.parse(endpoint);
  if (!url) throw new WrapperError("not-configured", `the S3 endpoint "${endpoint}" is no URL`);
  const path = [bucket, ...key.split("/")].map(encodeURIComponent).join("/");
  url.pathname = `${url.pathname.replace(/\/$/, "")}/${path}`;
  url.searchParams.set("X-Amz-Expires", String(seconds));
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: "s3" });
  const signed = await client.sign(url.href, { method, aws: { signQuery: true } });
  return signed.url;
}
