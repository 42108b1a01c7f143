import { type BucketConfiguration, ObjectsError } from "@overcoat/objects";
import type { Credential } from "./auth/credentials.ts";
import type { Context } from "./context.ts";
import { header, owner } from "./context.ts";
import { S3Error } from "./errors.ts";
import { copySource, renameSource } from "./operations/write-object.ts";
import { actionsOf, evaluate, type Policy, parsePolicy } from "./policy.ts";
import type { Route } from "./router.ts";

export interface Rights {
  /** Nobody has a key: everybody may do everything (loopback only, by the command's rule). */
  readonly open: boolean;
  /** Buckets that anybody may read. */
  readonly anonymousRead: ReadonlySet<string>;
  readonly readOnly: boolean;
}

/** What the sender may do in one bucket. */
export interface Permissions {
  /** Whether the bucket has a policy: without one all keys are alike. */
  readonly policy: boolean;
  /** Whether an operation, by the router's name, is allowed on the bucket or on one key in it. */
  may(operation: string, key?: string): boolean;
}

/** All that anybody may do in a bucket of `anonymousRead`. */
const publicReading = new Set(["ListObjects", "ListObjectsV2", "HeadBucket", "GetObject", "HeadObject"]);
/** Operations that decide what others may do. */
const onPolicy = new Set([
  "GetBucketPolicy",
  "GetBucketPolicyStatus",
  "PutBucketPolicy",
  "DeleteBucketPolicy",
]);
const copies = new Set(["CopyObject", "UploadPartCopy"]);
const reads = /^(?:Get|Head|List)/;

/** Carries a request out if its sender may. @throws S3Error AccessDenied */
export async function perform(context: Context, route: Route): Promise<void> {
  if (route.writes && context.service.rights.readOnly)
    throw new S3Error("AccessDenied", "This server is read-only.");
  await authorize(context, route);
  try {
    await route.run(context);
  } catch (error) {
    if (await hides(context, route, error)) throw new S3Error("AccessDenied");
    throw error;
  }
}

async function authorize(context: Context, { name }: Route): Promise<void> {
  const { bucket, key, credential, service } = context;
  // Its sender stands in the form.
  if (name === "PostObject") return;
  if (!bucket) {
    if (!credential && !service.rights.open) throw new S3Error("AccessDenied");
    return;
  }
  checkOwner(context, "x-amz-expected-bucket-owner");
  if (copies.has(name)) checkOwner(context, "x-amz-source-expected-bucket-owner");
  const { may, policy } = await permissions(context, bucket);
  const allow = (allowed: boolean) => {
    if (!allowed) throw new S3Error("AccessDenied");
  };
  // Asks for each of its keys; here only whether that can differ.
  if (name === "DeleteObjects") return allow(policy || may(name));
  if (!may(name, key)) {
    if (name !== "CreateBucket") await tellMissing(context, reads.test(name) && may("ListObjects"));
    throw new S3Error("AccessDenied");
  }
  if (header(context, "x-amz-tagging") !== undefined && actionsOf[name]?.includes("s3:PutObject"))
    allow(may("PutObjectTagging", key));
  if (name === "RenameObject") {
    const from = renameSource(context);
    allow(may("GetObject", from) && may("DeleteObject", from));
  } else if (copies.has(name)) {
    const source = copySource(context);
    allow((await permissions(context, source.bucket)).may("GetObject", source.key));
  }
}

/**
 * Refuses a request that is meant for another owner's bucket.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
 */
function checkOwner(context: Context, name: string): void {
  const expected = header(context, name);
  if (expected !== undefined && expected !== owner.id)
    throw new S3Error(
      "AccessDenied",
      `The bucket's owner is not the one in ${name}: here it is ${owner.id}.`,
    );
}

/** Tells who is refused what does not exist: a bucket in any case, a key to be read where listing is allowed. @throws ObjectsError NoSuchBucket, NoSuchKey */
async function tellMissing({ bucket, key, service }: Context, keys: boolean): Promise<void> {
  if (key && keys) await service.objects.headObject(bucket, key);
  else await service.objects.buckets.path(bucket);
}

/** Whether an answer would tell what exists to someone who may not list it: S3 then answers 403 for 404. */
async function hides(context: Context, { name }: Route, error: unknown): Promise<boolean> {
  if (!(error instanceof ObjectsError || error instanceof S3Error) || error.code !== "NoSuchKey")
    return false;
  const buckets = [context.bucket];
  if (copies.has(name)) buckets.push(copySource(context).bucket);
  for (const bucket of buckets) if (!(await permissions(context, bucket)).may("ListObjects")) return true;
  return false;
}

/**
 * What the sender may do in a bucket, by its key's rights and the bucket's policy as it stands now: Deny of
 * the policy goes before all, then either of the two is enough. A key without a list of buckets is the
 * owner's: no policy keeps it from mending the policy.
 */
export async function permissions(
  { credential, service }: Pick<Context, "credential" | "service">,
  bucket: string,
): Promise<Permissions> {
  const { objects, rights } = service;
  const isOwner = rights.open || (credential !== undefined && !credential.buckets);
  const policy = policyOf(await objects.buckets.configuration(bucket), bucket);
  const right = credential && rightIn(credential, bucket);
  return {
    policy: policy !== undefined,
    may(operation, key = "") {
      if (onPolicy.has(operation)) {
        if (isOwner) return true;
        if (!credential) return false;
      }
      if (policy) {
        const resource = `arn:aws:s3:::${bucket}${key && `/${key}`}`;
        const principal = credential?.accessKeyId;
        const actions = actionsOf[operation] ?? [];
        const decisions = actions.map((action) => evaluate(policy, { principal, action, resource }));
        if (decisions.includes("Deny")) return false;
        if (decisions.length > 0 && decisions.every((one) => one === "Allow")) return true;
      }
      if (isOwner) return true;
      if (rights.anonymousRead.has(bucket) && publicReading.has(operation)) return true;
      if (reads.test(operation)) return right !== undefined;
      return right === "read-write" && !onPolicy.has(operation);
    },
  };
}

/** The right of a key that is limited to some buckets; `*` stands for all that are not named. */
function rightIn({ buckets = {} }: Credential, bucket: string) {
  return Object.hasOwn(buckets, bucket) ? buckets[bucket] : buckets["*"];
}

const parsed = new WeakMap<BucketConfiguration, Policy>();
/** Stands for a policy that cannot be understood, as that of a folder which was renamed: nobody passes. */
const unreadable: Policy = {
  statements: [{ effect: "Deny", principals: ["*"], actions: ["*"], resources: ["*"] }],
};

function policyOf(configuration: BucketConfiguration, bucket: string): Policy | undefined {
  if (configuration.policy === undefined) return undefined;
  let policy = parsed.get(configuration);
  if (!policy) {
    try {
      policy = parsePolicy(configuration.policy, bucket);
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      policy = unreadable;
    }
    parsed.set(configuration, policy);
  }
  return policy;
}
