import type { BucketConfiguration, BucketInfo } from "@overcoat/objects";
import { checkAclHeaders } from "../acl.ts";
import { permissions } from "../authorize.ts";
import { type Context, header, type Operation, reply, replyXml } from "../context.ts";
import { S3Error, type S3ErrorCode } from "../errors.ts";
import { checkTags } from "../headers.ts";
import { ownerXml } from "../listing-xml.ts";
import { document, element, parse, records, text } from "../xml.ts";
import { smallBody } from "./body.ts";

/** S3's largest page of buckets. */
const mostBuckets = 10_000;

export const listBuckets: Operation = async (context) => {
  const { credential, query, service } = context;
  const prefix = query.get("prefix") ?? "";
  const most = Number(query.get("max-buckets") ?? mostBuckets);
  if (!Number.isInteger(most) || most < 1 || most > mostBuckets)
    throw new S3Error(
      "InvalidArgument",
      `Argument max-buckets must be an integer between 1 and ${mostBuckets}`,
      { ArgumentName: "max-buckets", ArgumentValue: query.get("max-buckets") ?? "" },
    );
  const after = Buffer.from(query.get("continuation-token") ?? "", "base64url").toString();
  const all: BucketInfo[] = [];
  for (const bucket of await service.objects.buckets.list()) {
    if (!bucket.name.startsWith(prefix) || bucket.name <= after) continue;
    const seen =
      !credential?.buckets ||
      (await permissions(context, bucket.name).then(
        ({ may }) => may("ListObjects"),
        () => false,
      ));
    if (seen) all.push(bucket);
  }
  const page = all.slice(0, most);
  const buckets = page
    .map(
      ({ name, created }) =>
        `<Bucket>${element("Name", name)}<CreationDate>${new Date(created).toISOString()}</CreationDate></Bucket>`,
    )
    .join("");
  const token =
    all.length > page.length ? Buffer.from(page.at(-1)?.name ?? "").toString("base64url") : undefined;
  replyXml(
    context,
    document(
      "ListAllMyBucketsResult",
      `${ownerXml()}<Buckets>${buckets}</Buckets>${element("ContinuationToken", token)}${prefix && element("Prefix", prefix)}`,
    ),
  );
};

export const createBucket: Operation = async (context) => {
  const { bucket, service } = context;
  checkAclHeaders(context, "InvalidBucketAclWithObjectOwnership");
  if ((header(context, "x-amz-object-ownership") ?? "BucketOwnerEnforced") !== "BucketOwnerEnforced")
    throw new S3Error("NotImplemented", "Only the object ownership BucketOwnerEnforced is implemented.");
  if (header(context, "x-amz-bucket-object-lock-enabled")?.toLowerCase() === "true")
    throw new S3Error("NotImplemented", "CreateBucket with object lock is not implemented.");
  const body = await smallBody(context);
  if (body.length) {
    const location = text(parse(body, "CreateBucketConfiguration").LocationConstraint);
    if (location && location !== service.region && location !== "EU")
      throw new S3Error(
        "IllegalLocationConstraintException",
        `The location constraint must be ${service.region} here.`,
      );
  }
  if (!(await service.objects.createBucket(bucket)) && service.region !== "us-east-1")
    throw new S3Error("BucketAlreadyOwnedByYou", undefined, { BucketName: bucket });
  reply(context, 200, { location: `/${bucket}` });
};

export const headBucket: Operation = async (context) => {
  await context.service.objects.buckets.path(context.bucket);
  reply(context, 200, { "x-amz-bucket-region": context.service.region, "content-type": "application/xml" });
};

export const deleteBucket: Operation = async (context) => {
  await context.service.objects.deleteBucket(context.bucket);
  reply(context, 204);
};

export const getBucketLocation: Operation = async (context) => {
  const { bucket, service } = context;
  await service.objects.buckets.path(bucket);
  replyXml(context, document("LocationConstraint", service.region === "us-east-1" ? "" : service.region));
};

export const getBucketVersioning: Operation = async (context) => {
  await context.service.objects.buckets.path(context.bucket);
  replyXml(context, document("VersioningConfiguration", ""));
};

/** Answers for a configuration that no bucket here has, as S3 does for a bucket without. */
export const missingConfiguration =
  (code: S3ErrorCode): Operation =>
  async ({ bucket, service }) => {
    await service.objects.buckets.path(bucket);
    throw new S3Error(code, undefined, { BucketName: bucket });
  };

/** Answers for a configuration that S3 shows empty when there is none. */
export const emptyConfiguration =
  (root: string): Operation =>
  async (context) => {
    await context.service.objects.buckets.path(context.bucket);
    replyXml(context, document(root, ""));
  };

/** Removes a configuration that no bucket here has, which S3 counts as success. */
export const removeMissingConfiguration: Operation = async (context) => {
  await context.service.objects.buckets.path(context.bucket);
  reply(context, 204);
};

export const getRequestPayment: Operation = async (context) => {
  await context.service.objects.buckets.path(context.bucket);
  replyXml(context, document("RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>"));
};

/** Tags of a `Tagging` document. */
export function parseTags(body: Buffer, most: number): Record<string, string> {
  const set = records(parse(body, "Tagging").TagSet)[0] ?? {};
  return checkTags(
    records(set.Tag).map((tag) => [text(tag.Key) ?? "", text(tag.Value) ?? ""] as const),
    most,
  );
}

export const tagsXml = (tags: Readonly<Record<string, string>>) =>
  document(
    "Tagging",
    `<TagSet>${Object.entries(tags)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `<Tag>${element("Key", key)}${element("Value", value)}</Tag>`)
      .join("")}</TagSet>`,
  );

async function changeTags({ bucket, service }: Context, tags: BucketConfiguration["tags"]): Promise<void> {
  await service.objects.buckets.change(bucket, (before) => ({ ...before, tags }));
}

async function configuration(context: Context) {
  const { buckets } = context.service.objects;
  await buckets.path(context.bucket);
  return buckets.configuration(context.bucket);
}

export const getBucketTagging: Operation = async (context) => {
  const { tags } = await configuration(context);
  if (!tags) throw new S3Error("NoSuchTagSet", undefined, { BucketName: context.bucket });
  replyXml(context, tagsXml(tags));
};

export const putBucketTagging: Operation = async (context) => {
  await changeTags(context, parseTags(await smallBody(context), 50));
  reply(context, 204);
};

export const deleteBucketTagging: Operation = async (context) => {
  await changeTags(context, undefined);
  reply(context, 204);
};
