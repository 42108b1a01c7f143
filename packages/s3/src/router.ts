import type { Context, Operation } from "./context.ts";
import { header } from "./context.ts";
import { S3Error } from "./errors.ts";
import * as acl from "./operations/acl.ts";
import * as cors from "./operations/bucket-cors.ts";
import * as policy from "./operations/bucket-policy.ts";
import * as buckets from "./operations/buckets.ts";
import { deleteObject, deleteObjects } from "./operations/delete-objects.ts";
import { getObject, headObject } from "./operations/get-object.ts";
import * as listing from "./operations/list-objects.ts";
import * as multipart from "./operations/multipart.ts";
import * as information from "./operations/object-information.ts";
import { postObject } from "./operations/post-object.ts";
import { copyObject, putObject, renameObject } from "./operations/write-object.ts";

/** An operation by S3's name, and whether it changes anything. */
export interface Route {
  readonly name: string;
  readonly run: Operation;
  readonly writes: boolean;
}

const read = (name: string, run: Operation): Route => ({ name, run, writes: false });
const write = (name: string, run: Operation): Route => ({ name, run, writes: true });

const onBucket: Record<string, Record<string, Route>> = {
  GET: {
    location: read("GetBucketLocation", buckets.getBucketLocation),
    versioning: read("GetBucketVersioning", buckets.getBucketVersioning),
    acl: read("GetBucketAcl", acl.getAcl),
    tagging: read("GetBucketTagging", buckets.getBucketTagging),
    cors: read("GetBucketCors", cors.getBucketCors),
    policy: read("GetBucketPolicy", policy.getBucketPolicy),
    policyStatus: read("GetBucketPolicyStatus", policy.getBucketPolicyStatus),
    versions: read("ListObjectVersions", listing.listObjectVersions),
    uploads: read("ListMultipartUploads", listing.listMultipartUploads),
    requestPayment: read("GetBucketRequestPayment", buckets.getRequestPayment),
    ownershipControls: read("GetBucketOwnershipControls", acl.getOwnershipControls),
    encryption: read(
      "GetBucketEncryption",
      buckets.missingConfiguration("ServerSideEncryptionConfigurationNotFoundError"),
    ),
    lifecycle: read(
      "GetBucketLifecycleConfiguration",
      buckets.missingConfiguration("NoSuchLifecycleConfiguration"),
    ),
    "object-lock": read(
      "GetObjectLockConfiguration",
      buckets.missingConfiguration("ObjectLockConfigurationNotFoundError"),
    ),
    publicAccessBlock: read(
      "GetPublicAccessBlock",
      buckets.missingConfiguration("NoSuchPublicAccessBlockConfiguration"),
    ),
    replication: read(
      "GetBucketReplication",
      buckets.missingConfiguration("ReplicationConfigurationNotFoundError"),
    ),
    website: read("GetBucketWebsite", buckets.missingConfiguration("NoSuchWebsiteConfiguration")),
    logging: read("GetBucketLogging", buckets.emptyConfiguration("BucketLoggingStatus")),
    notification: read(
      "GetBucketNotificationConfiguration",
      buckets.emptyConfiguration("NotificationConfiguration"),
    ),
    accelerate: read(
      "GetBucketAccelerateConfiguration",
      buckets.emptyConfiguration("AccelerateConfiguration"),
    ),
  },
  PUT: {
    acl: write("PutBucketAcl", acl.putAcl),
    tagging: write("PutBucketTagging", buckets.putBucketTagging),
    cors: write("PutBucketCors", cors.putBucketCors),
    policy: write("PutBucketPolicy", policy.putBucketPolicy),
  },
  DELETE: {
    tagging: write("DeleteBucketTagging", buckets.deleteBucketTagging),
    cors: write("DeleteBucketCors", cors.deleteBucketCors),
    policy: write("DeleteBucketPolicy", policy.deleteBucketPolicy),
    encryption: write("DeleteBucketEncryption", buckets.removeMissingConfiguration),
    lifecycle: write("DeleteBucketLifecycle", buckets.removeMissingConfiguration),
    publicAccessBlock: write("DeletePublicAccessBlock", buckets.removeMissingConfiguration),
    replication: write("DeleteBucketReplication", buckets.removeMissingConfiguration),
    website: write("DeleteBucketWebsite", buckets.removeMissingConfiguration),
  },
  POST: { delete: write("DeleteObjects", deleteObjects) },
  HEAD: {},
};

const onObject: Record<string, Record<string, Route>> = {
  GET: {
    acl: read("GetObjectAcl", acl.getAcl),
    attributes: read("GetObjectAttributes", information.getObjectAttributes),
    tagging: read("GetObjectTagging", information.getObjectTagging),
    uploadId: read("ListParts", multipart.listParts),
  },
  PUT: {
    acl: write("PutObjectAcl", acl.putAcl),
    tagging: write("PutObjectTagging", information.putObjectTagging),
    renameObject: write("RenameObject", renameObject),
    uploadId: write("UploadPart", multipart.uploadPart),
  },
  DELETE: {
    tagging: write("DeleteObjectTagging", information.deleteObjectTagging),
    uploadId: write("AbortMultipartUpload", multipart.abortMultipartUpload),
  },
  POST: {
    uploads: write("CreateMultipartUpload", multipart.createMultipartUpload),
    uploadId: write("CompleteMultipartUpload", multipart.completeMultipartUpload),
  },
  HEAD: {},
};

const plainBucket: Record<string, Route> = {
  GET: read("ListObjects", listing.listObjects),
  HEAD: read("HeadBucket", buckets.headBucket),
  PUT: write("CreateBucket", buckets.createBucket),
  DELETE: write("DeleteBucket", buckets.deleteBucket),
};
const plainObject: Record<string, Route> = {
  GET: read("GetObject", getObject),
  HEAD: read("HeadObject", headObject),
  PUT: write("PutObject", putObject),
  DELETE: write("DeleteObject", deleteObject),
};
const post = write("PostObject", postObject);
const copy = write("CopyObject", copyObject);
const copyPart = write("UploadPartCopy", multipart.uploadPartCopy);
const listV2 = read("ListObjectsV2", listing.listObjectsV2);
const listBuckets = read("ListBuckets", buckets.listBuckets);

/** Query parameters that name an operation of S3, whether it exists here or not. */
const subresources = new Set(
  "accelerate acl analytics attributes cors delete encryption intelligent-tiering inventory legal-hold lifecycle location logging metadataTable metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock renameObject replication requestPayment restore retention select session tagging torrent uploadId uploads versioning versions website".split(
    " ",
  ),
);

/** The operation that a request asks for. @throws S3Error NotImplemented, MethodNotAllowed */
export function route(context: Context): Route {
  const { bucket, key, query } = context;
  const method = context.request.method ?? "";
  if (!bucket) {
    if (method === "GET") return listBuckets;
    throw new S3Error("MethodNotAllowed");
  }
  const table = key ? onObject : onBucket;
  for (const name of query.keys()) {
    if (!subresources.has(name)) continue;
    const found = table[method]?.[name];
    if (!found)
      throw new S3Error("NotImplemented", `${method} ?${name} is not implemented here.`, {
        Operation: `${method} ?${name}`,
      });
    if (found.run === multipart.uploadPart && header(context, "x-amz-copy-source") !== undefined)
      return copyPart;
    return found;
  }
  if (key && method === "PUT" && header(context, "x-amz-copy-source") !== undefined) return copy;
  if (!key && method === "GET" && query.get("list-type") === "2") return listV2;
  if (!key && method === "POST" && header(context, "content-type")?.startsWith("multipart/form-data"))
    return post;
  const found = (key ? plainObject : plainBucket)[method];
  if (!found) throw new S3Error("MethodNotAllowed");
  return found;
}
