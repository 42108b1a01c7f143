import { S3Error } from "./errors.ts";
import { glob } from "./glob.ts";

export interface Statement {
  readonly sid?: string;
  readonly effect: "Allow" | "Deny";
  /** Access key ids; `*` is everybody, anonymous too. */
  readonly principals: readonly string[];
  /** Patterns, in lower case. */
  readonly actions: readonly string[];
  /** Patterns. */
  readonly resources: readonly string[];
}

export interface Policy {
  readonly statements: readonly Statement[];
}

export interface PolicyRequest {
  /** The access key id; undefined is anonymous. */
  readonly principal: string | undefined;
  readonly action: string;
  /** `arn:aws:s3:::bucket` or `arn:aws:s3:::bucket/key`. */
  readonly resource: string;
}

const mostBytes = 20 * 1024;
const arn = "arn:aws:s3:::";

const malformed = (message: string) => new S3Error("MalformedPolicy", message);

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformed(`${what} must be a JSON object.`);
  return value as Record<string, unknown>;
}

function only(value: Record<string, unknown>, known: readonly string[], where: string): void {
  for (const name of Object.keys(value))
    if (!known.includes(name)) throw malformed(`The element ${name} is not supported in ${where}.`);
}

function list(value: unknown, name: string): string[] {
  const all: unknown[] = Array.isArray(value) ? value : [value];
  if (value === undefined || !all.length) throw malformed(`Missing required field ${name}`);
  return all.map((one) => {
    if (typeof one !== "string") throw malformed(`${name} must hold strings.`);
    return one;
  });
}

function parsePrincipals(value: unknown): string[] {
  if (value === undefined) throw malformed("Missing required field Principal");
  if (value === "*") return ["*"];
  const principal = record(value, "Principal");
  only(principal, ["AWS"], "Principal");
  return list(principal.AWS, "Principal").map((one) => {
    const id = one === "*" ? one : (/^arn:aws:iam::[^:]*:user\/([^/]+)$/.exec(one)?.[1] ?? one);
    if (one !== "*" && !/^[^\s:/*?]+$/.test(id)) throw malformed(`Invalid principal in policy: ${one}`);
    return id;
  });
}

function parseStatement(value: unknown, bucket: string): Statement {
  const statement = record(value, "Statement");
  only(statement, ["Sid", "Effect", "Principal", "Action", "Resource"], "Statement");
  const { Sid: sid, Effect: effect } = statement;
  if (sid !== undefined && typeof sid !== "string") throw malformed("Sid must be a string.");
  if (effect !== "Allow" && effect !== "Deny") throw malformed("Effect must be Allow or Deny.");
  const principals = parsePrincipals(statement.Principal);
  const actions = list(statement.Action, "Action").map((one) => one.toLowerCase());
  for (const action of actions)
    if (!/^(?:\*|s3:[a-z0-9*?]+)$/.test(action)) throw malformed(`Policy has invalid action: ${action}`);
  const resources = list(statement.Resource, "Resource");
  for (const resource of resources) {
    const [named] = resource.slice(arn.length).split("/", 1);
    if (!resource.startsWith(arn) || !glob(named!, bucket))
      throw malformed(`Policy has invalid resource: ${resource}`);
    if (resource.includes("${"))
      throw malformed(`Policy variables are not supported in Resource: ${resource}`);
  }
  return { ...(sid !== undefined && { sid }), effect, principals, actions, resources };
}

/** The policy of a bucket. @throws S3Error MalformedPolicy */
export function parsePolicy(text: string, bucket: string): Policy {
  if (Buffer.byteLength(text) > mostBytes) throw malformed("Policies must not be larger than 20 KiB.");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new S3Error("MalformedPolicy");
  }
  const policy = record(value, "The policy");
  only(policy, ["Version", "Id", "Statement"], "the policy");
  if (policy.Version !== "2012-10-17" && policy.Version !== "2008-10-17")
    throw malformed("The policy must contain a valid version string");
  if (policy.Id !== undefined && typeof policy.Id !== "string") throw malformed("Id must be a string.");
  if (policy.Statement === undefined) throw malformed("Missing required field Statement");
  const all: unknown[] = Array.isArray(policy.Statement) ? policy.Statement : [policy.Statement];
  if (!all.length) throw malformed("Could not parse the policy: Statement is empty!");
  return { statements: all.map((one) => parseStatement(one, bucket)) };
}

/** What a policy says; Deny goes before Allow, undefined is neither. */
export function evaluate(
  policy: Policy,
  { principal, action, resource }: PolicyRequest,
): "Allow" | "Deny" | undefined {
  const name = action.toLowerCase();
  let found: "Allow" | undefined;
  for (const { effect, principals, actions, resources } of policy.statements) {
    if (!principals.some((one) => one === "*" || one === principal)) continue;
    if (!actions.some((one) => glob(one, name))) continue;
    if (!resources.some((one) => glob(one, resource))) continue;
    if (effect === "Deny") return "Deny";
    found = "Allow";
  }
  return found;
}

/** Whether a policy allows anything to everybody. */
export const isPublic = (policy: Policy): boolean =>
  policy.statements.some(({ effect, principals }) => effect === "Allow" && principals.includes("*"));

/** The IAM actions that each operation of the router asks for, all of them. */
export const actionsOf: Readonly<Record<string, readonly string[]>> = {
  ListBuckets: ["s3:ListAllMyBuckets"],
  CreateBucket: ["s3:CreateBucket"],
  DeleteBucket: ["s3:DeleteBucket"],
  HeadBucket: ["s3:ListBucket"],
  ListObjects: ["s3:ListBucket"],
  ListObjectsV2: ["s3:ListBucket"],
  ListObjectVersions: ["s3:ListBucketVersions"],
  ListMultipartUploads: ["s3:ListBucketMultipartUploads"],
  GetBucketLocation: ["s3:GetBucketLocation"],
  GetBucketVersioning: ["s3:GetBucketVersioning"],
  GetBucketAcl: ["s3:GetBucketAcl"],
  PutBucketAcl: ["s3:PutBucketAcl"],
  GetBucketTagging: ["s3:GetBucketTagging"],
  PutBucketTagging: ["s3:PutBucketTagging"],
  DeleteBucketTagging: ["s3:PutBucketTagging"],
  GetBucketCors: ["s3:GetBucketCORS"],
  PutBucketCors: ["s3:PutBucketCORS"],
  DeleteBucketCors: ["s3:PutBucketCORS"],
  GetBucketPolicy: ["s3:GetBucketPolicy"],
  PutBucketPolicy: ["s3:PutBucketPolicy"],
  DeleteBucketPolicy: ["s3:DeleteBucketPolicy"],
  GetBucketPolicyStatus: ["s3:GetBucketPolicyStatus"],
  GetBucketRequestPayment: ["s3:GetBucketRequestPayment"],
  GetBucketEncryption: ["s3:GetEncryptionConfiguration"],
  DeleteBucketEncryption: ["s3:PutEncryptionConfiguration"],
  GetBucketLifecycleConfiguration: ["s3:GetLifecycleConfiguration"],
  DeleteBucketLifecycle: ["s3:PutLifecycleConfiguration"],
  GetObjectLockConfiguration: ["s3:GetBucketObjectLockConfiguration"],
  GetBucketOwnershipControls: ["s3:GetBucketOwnershipControls"],
  GetPublicAccessBlock: ["s3:GetBucketPublicAccessBlock"],
  DeletePublicAccessBlock: ["s3:PutBucketPublicAccessBlock"],
  GetBucketReplication: ["s3:GetReplicationConfiguration"],
  DeleteBucketReplication: ["s3:PutReplicationConfiguration"],
  GetBucketWebsite: ["s3:GetBucketWebsite"],
  DeleteBucketWebsite: ["s3:DeleteBucketWebsite"],
  GetBucketLogging: ["s3:GetBucketLogging"],
  GetBucketNotificationConfiguration: ["s3:GetBucketNotification"],
  GetBucketAccelerateConfiguration: ["s3:GetAccelerateConfiguration"],
  GetObject: ["s3:GetObject"],
  HeadObject: ["s3:GetObject"],
  GetObjectAttributes: ["s3:GetObject", "s3:GetObjectAttributes"],
  GetObjectAcl: ["s3:GetObjectAcl"],
  PutObjectAcl: ["s3:PutObjectAcl"],
  GetObjectTagging: ["s3:GetObjectTagging"],
  PutObjectTagging: ["s3:PutObjectTagging"],
  DeleteObjectTagging: ["s3:DeleteObjectTagging"],
  PutObject: ["s3:PutObject"],
  PostObject: ["s3:PutObject"],
  CopyObject: ["s3:PutObject"],
  RenameObject: ["s3:PutObject"],
  CreateMultipartUpload: ["s3:PutObject"],
  UploadPart: ["s3:PutObject"],
  UploadPartCopy: ["s3:PutObject"],
  CompleteMultipartUpload: ["s3:PutObject"],
  AbortMultipartUpload: ["s3:AbortMultipartUpload"],
  ListParts: ["s3:ListMultipartUploadParts"],
  DeleteObject: ["s3:DeleteObject"],
  DeleteObjects: ["s3:DeleteObject"],
};
