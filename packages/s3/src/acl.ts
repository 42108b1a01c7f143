import { type Context, header, owner } from "./context.ts";
import { S3Error, type S3ErrorCode } from "./errors.ts";
import { records, text, type XmlRecord } from "./xml.ts";

/** The canned ACLs of S3 (user guide, "Canned ACL"). */
const canned = new Set([
  "private",
  "public-read",
  "public-read-write",
  "authenticated-read",
  "aws-exec-read",
  "bucket-owner-read",
  "bucket-owner-full-control",
  "log-delivery-write",
]);
/** Those that say what holds here anyway. */
const ownersOnly = new Set(["private", "bucket-owner-full-control"]);
const grants = ["full-control", "read", "read-acp", "write", "write-acp"].map((one) => `x-amz-grant-${one}`);

/**
 * Lets a canned ACL pass that gives nothing to anybody but the owner: buckets here have no ACLs, as those of S3
 * with "bucket owner enforced" (user guide, "Controlling ownership of objects and disabling ACLs").
 * @throws S3Error InvalidArgument for what is no canned ACL, else `refusal`
 */
export function checkCannedAcl(
  acl: string | undefined,
  refusal: S3ErrorCode = "AccessControlListNotSupported",
): void {
  if (acl === undefined || ownersOnly.has(acl)) return;
  if (canned.has(acl)) throw new S3Error(refusal);
  throw new S3Error("InvalidArgument", undefined, { ArgumentName: "x-amz-acl", ArgumentValue: acl });
}

/** The same for the ACL in a request's headers. */
export function checkAclHeaders(context: Context, refusal?: S3ErrorCode): void {
  checkCannedAcl(header(context, "x-amz-acl"), refusal);
  if (grants.some((name) => header(context, name) !== undefined))
    throw new S3Error(refusal ?? "AccessControlListNotSupported");
}

/** The same for an `AccessControlPolicy` document. @throws S3Error MalformedXML, AccessControlListNotSupported */
export function checkAclDocument(policy: XmlRecord): void {
  const list = records(policy.AccessControlList)[0];
  if (!list) throw new S3Error("MalformedXML");
  const all = records(list.Grant);
  const onlyOwner = all.every(
    (grant) => text(grant.Permission) === "FULL_CONTROL" && text(records(grant.Grantee)[0]?.ID) === owner.id,
  );
  if (!all.length || !onlyOwner) throw new S3Error("AccessControlListNotSupported");
}
