import type { Context } from "./context.ts";
import { header } from "./context.ts";
import { S3Error } from "./errors.ts";
import { copySource } from "./operations/write-object.ts";
import { actionOf, evaluate, parsePolicy } from "./policy.ts";
import type { Route } from "./router.ts";

export interface Rights {
  /** Nobody has a key: everybody may do everything (loopback only, by the command's rule). */
  readonly open: boolean;
  /** Buckets that anybody may read. */
  readonly anonymousRead: ReadonlySet<string>;
  readonly readOnly: boolean;
}

/** Whether the sender may do this. @throws S3Error AccessDenied */
export async function authorize(context: Context, route: Route): Promise<void> {
  const { rights } = context.service;
  if (route.writes && rights.readOnly) throw new S3Error("AccessDenied", "This server is read-only.");
  if (route.name === "PostObject") return;
  const { bucket, key } = context;
  await allow(context, route.name, route.writes, bucket, key);
  if (header(context, "x-amz-copy-source") !== undefined && key) {
    const source = copySource(context);
    await allow(context, "GetObject", false, source.bucket, source.key);
  }
}

/** Whether the sender may do one named operation on one bucket or key. @throws S3Error AccessDenied */
export async function allow(
  context: Context,
  operation: string,
  writes: boolean,
  bucket: string,
  key: string,
): Promise<void> {
  const { credential, service } = context;
  const decision = bucket ? await policyDecision(context, operation, bucket, key) : undefined;
  if (decision === "Deny") throw new S3Error("AccessDenied");
  if (service.rights.open || decision === "Allow") return;
  if (!credential) {
    if (bucket && !writes && service.rights.anonymousRead.has(bucket)) return;
    throw new S3Error("AccessDenied");
  }
  if (!credential.buckets || !bucket) return;
  const right = credential.buckets[bucket];
  if (!right || (writes && right !== "read-write")) throw new S3Error("AccessDenied");
}

/** Operations by which a mistaken policy is mended: no policy takes them from a key with rights. */
const onPolicy = new Set(["GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"]);

async function policyDecision(context: Context, operation: string, bucket: string, key: string) {
  if (context.credential && onPolicy.has(operation)) return undefined;
  const { buckets } = context.service.objects;
  if (!(await buckets.exists(bucket))) return undefined;
  const { policy } = await buckets.configuration(bucket);
  if (policy === undefined) return undefined;
  const action = actionOf[operation];
  if (action === undefined) return undefined;
  return evaluate(parsePolicy(policy, bucket), {
    principal: context.credential?.accessKeyId,
    action,
    resource: `arn:aws:s3:::${bucket}${key && `/${key}`}`,
  });
}
