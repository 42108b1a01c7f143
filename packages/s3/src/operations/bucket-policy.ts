import { type Context, type Operation, reply, replyXml } from "../context.ts";
import { S3Error } from "../errors.ts";
import { isPublic, parsePolicy } from "../policy.ts";
import { document, element } from "../xml.ts";
import { smallBody } from "./body.ts";

async function policyOf({ bucket, service }: Context): Promise<string> {
  const { buckets } = service.objects;
  await buckets.path(bucket);
  const { policy } = await buckets.configuration(bucket);
  if (policy === undefined) throw new S3Error("NoSuchBucketPolicy", undefined, { BucketName: bucket });
  return policy;
}

async function configure({ bucket, service }: Context, policy: string | undefined): Promise<void> {
  await service.objects.buckets.change(bucket, (before) => ({ ...before, policy }));
}

export const getBucketPolicy: Operation = async (context) =>
  reply(context, 200, { "content-type": "application/json" }, await policyOf(context));

export const putBucketPolicy: Operation = async (context) => {
  const policy = (await smallBody(context)).toString("utf8");
  parsePolicy(policy, context.bucket);
  await configure(context, policy);
  reply(context, 204);
};

export const deleteBucketPolicy: Operation = async (context) => {
  await configure(context, undefined);
  reply(context, 204);
};

export const getBucketPolicyStatus: Operation = async (context) => {
  const policy = parsePolicy(await policyOf(context), context.bucket);
  replyXml(context, document("PolicyStatus", element("IsPublic", isPublic(policy))));
};
