import type { BucketConfiguration, BucketInfo } from "@overcoat/objects";
import { permissions } from "../authorize.ts";
import { type Context, header, type Operation, owner, reply, replyXml } from "../context.ts";
import { S3Error } from "../errors.ts";
import { checkTags } from "../headers.ts";
import { ownerXml } from "../listing-xml.ts";
import { document, element, parse, records, text } from "../xml.ts";
import { smallBody } from "./body.ts";

export const listBuckets: Operation = async (context) => {
  const { credential, query, service } = context;
  const prefix = query.get("prefix") ?? "";
  const most = Number(query.get("max-buckets") ?? 10_000);
  const after = Buffer.from(query.get("continuation-token") ?? "", "base64url").toString();
  const all: BucketInfo[] = [];
  for (const bucket of await service.objects.buckets.list()) {
    if (!bucket.name.startsWith(prefix) || bucket.name <= after) continue;
    if (!credential?.buckets || (await permissions(context, bucket.name)).may("ListObjects"))
      all.push(bucket);
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

const acl = () =>
  document(
    "AccessControlPolicy",
    `${ownerXml()}<AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>${owner.id}</ID><DisplayName>${owner.name}</DisplayName></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>`,
  );

export const getBucketAcl: Operation = async (context) => {
  await context.service.objects.buckets.path(context.bucket);
  replyXml(context, acl());
};

export const getObjectAcl: Operation = async (context) => {
  await context.service.objects.headObject(context.bucket, context.key);
  replyXml(context, acl());
};

/** Only the canned ACL `private`, which is how everything here is, can be set. */
export const putAcl: Operation = async (context) => {
  const { bucket, key, service } = context;
  if (key) await service.objects.headObject(bucket, key);
  else await service.objects.buckets.path(bucket);
  await smallBody(context);
  if (header(context, "x-amz-acl") !== "private")
    throw new S3Error(
      "NotImplemented",
      "Only the canned ACL private is implemented; use a bucket policy instead.",
    );
  reply(context, 200);
};

/** Configurations that no bucket here has, answered as S3 does for a bucket without. */
export const missingConfigurations = {
  encryption: "ServerSideEncryptionConfigurationNotFoundError",
  lifecycle: "NoSuchLifecycleConfiguration",
  "object-lock": "ObjectLockConfigurationNotFoundError",
  ownershipControls: "OwnershipControlsNotFoundError",
  publicAccessBlock: "NoSuchPublicAccessBlockConfiguration",
  replication: "ReplicationConfigurationNotFoundError",
  website: "NoSuchWebsiteConfiguration",
} as const;

export const getMissingConfiguration: Operation = async (context) => {
  await context.service.objects.buckets.path(context.bucket);
  for (const [name, code] of Object.entries(missingConfigurations))
    if (context.query.has(name)) throw new S3Error(code, undefined, { BucketName: context.bucket });
};

/** Configurations that S3 answers with an empty document when there is none. */
export const emptyConfigurations = {
  logging: "BucketLoggingStatus",
  notification: "NotificationConfiguration",
  accelerate: "AccelerateConfiguration",
} as const;

export const getEmptyConfiguration: Operation = async (context) => {
  await context.service.objects.buckets.path(context.bucket);
  for (const [name, root] of Object.entries(emptyConfigurations))
    if (context.query.has(name)) return replyXml(context, document(root, ""));
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
