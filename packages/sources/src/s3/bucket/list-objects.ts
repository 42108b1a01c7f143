import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { SqlError } from "../../error.ts";
import { type Page, readPage } from "./page.ts";

/** S3's largest page. */
export const pageSize = 1000;

export interface PageRequest {
  readonly bucket: string;
  readonly prefix?: string;
  readonly after?: string;
  /** `next` of the page before. */
  readonly token?: string;
  readonly most?: number;
}

/**
 * One page of ListObjectsV2. The SDK signs, sends and repeats; what it brings is read here, since its reader for
 * any XML takes several times as long for a key as all else that is done for the row.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export async function listObjects(
  client: S3Client,
  request: PageRequest,
  signal?: AbortSignal,
): Promise<Page> {
  const { bucket, prefix, after, token, most } = request;
  const command = new ListObjectsV2Command({
    Bucket: bucket,
    Prefix: prefix || undefined,
    StartAfter: token === undefined ? after : undefined,
    ContinuationToken: token,
    MaxKeys: most ?? pageSize,
    EncodingType: "url",
  });
  let page: Page | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as { statusCode: number; body: AsyncIterable<Buffer> | Buffer };
      if (response.statusCode !== 200) return result;
      const chunks: Buffer[] = [];
      for await (const chunk of response.body as AsyncIterable<Buffer>) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      const xml = body.toString();
      const isListing = xml.includes("<ListBucketResult");
      if (isListing) page = readPage(xml);
      response.body = isListing ? Buffer.from("<ListBucketResult/>") : body;
      return result;
    },
    { step: "deserialize", priority: "low", name: "readListing" },
  );
  await client.send(command, { abortSignal: signal });
  if (!page) throw new SqlError("08P01", `S3 answers the listing of bucket "${bucket}" with no listing`);
  return page;
}
