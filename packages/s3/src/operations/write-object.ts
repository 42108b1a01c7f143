import type { ChecksumAlgorithm, ObjectInfo } from "@overcoat/objects";
import { checkAclHeaders } from "../acl.ts";
import { readBody } from "../body/payload.ts";
import { type Context, header, type Operation, reply, replyXml } from "../context.ts";
import { S3Error } from "../errors.ts";
import { checksumHeaders, conditionsOf, metadataOf, tagsOf, writeConditions } from "../headers.ts";
import { document, element } from "../xml.ts";
import { bodyOf } from "./body.ts";

/** S3's largest object of a single PUT, in bytes. */
const largestPut = 5 * 1024 ** 3;

/** Refuses what would store something else than was asked for. */
export function refuseUnsupported(context: Context): void {
  checkAclHeaders(context);
  if (!storageClasses.has(header(context, "x-amz-storage-class"))) throw new S3Error("InvalidStorageClass");
  for (const name of [
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-object-lock-legal-hold",
    "x-amz-write-offset-bytes",
  ])
    if (header(context, name) !== undefined)
      throw new S3Error("NotImplemented", `The header ${name} is not implemented.`, { Header: name });
  if (header(context, "x-amz-server-side-encryption") !== undefined)
    throw new S3Error("NotImplemented", "Server side encryption is not implemented; leave the header out.");
}

/** Classes that everything here may be said to have, for there is one only. */
const storageClasses = new Set([undefined, "STANDARD", "REDUCED_REDUNDANCY"]);

/** The length that the client declares, of the object itself. @throws S3Error MissingContentLength */
function checkLength(context: Context): void {
  const { headers } = context.request;
  const declared = headers["x-amz-decoded-content-length"] ?? headers["content-length"];
  if (declared === undefined && headers["transfer-encoding"] === undefined)
    throw new S3Error("MissingContentLength");
  if (Number(declared) > largestPut)
    throw new S3Error("EntityTooLarge", undefined, {
      ProposedSize: String(declared),
      MaxSizeAllowed: String(largestPut),
    });
}

/** The body of a PUT, verified as it passes. */
export function payload(context: Context, defaultAlgorithm?: ChecksumAlgorithm) {
  checkLength(context);
  return readBody(bodyOf(context), context.request.headers, context.verified, { defaultAlgorithm });
}

export const putObject: Operation = async (context) => {
  const { bucket, key, service } = context;
  refuseUnsupported(context);
  const metadata = metadataOf(context);
  const conditions = writeConditions(context);
  const info = await service.objects.putObject(bucket, key, payload(context), { metadata, conditions });
  reply(context, 200, { etag: `"${info.etag}"`, ...checksumHeaders(info) });
};

/** The version that a copy is of; undefined for the present one. @throws S3Error NoSuchVersion */
function decodeVersion({ service }: Context, text: string): string | undefined {
  if (text === "null") return undefined;
  if (!service.objects.versioned) throw new S3Error("NoSuchVersion", undefined, { VersionId: text });
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error("InvalidArgument", "Copy Source must be URL-encoded.");
  }
}

/** The bucket and key of `x-amz-copy-source`. @throws S3Error InvalidArgument, NoSuchVersion */
export function copySource(context: Context): { bucket: string; key: string; version?: string } {
  let source = header(context, "x-amz-copy-source") ?? "";
  const query = source.indexOf("?versionId=");
  let version: string | undefined;
  if (query >= 0) {
    version = decodeVersion(context, source.slice(query + 11));
    source = source.slice(0, query);
  }
  try {
    source = decodeURIComponent(source);
  } catch {
    throw new S3Error("InvalidArgument", "Copy Source must be URL-encoded.");
  }
  if (source.startsWith("/")) source = source.slice(1);
  const slash = source.indexOf("/");
  if (slash <= 0 || slash === source.length - 1)
    throw new S3Error(
      "InvalidArgument",
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
      {
        ArgumentName: "x-amz-copy-source",
      },
    );
  return { bucket: source.slice(0, slash), key: source.slice(slash + 1), version };
}

function directive(context: Context, name: string): "COPY" | "REPLACE" {
  const value = header(context, name) ?? "COPY";
  if (value === "COPY" || value === "REPLACE") return value;
  throw new S3Error("InvalidArgument", `Unknown directive ${value}.`, {
    ArgumentName: name,
    ArgumentValue: value,
  });
}

export const copyResult = (root: string, info: Pick<ObjectInfo, "etag" | "modified" | "checksum">) =>
  document(
    root,
    `${element("LastModified", new Date(info.modified).toISOString())}<ETag>&quot;${info.etag}&quot;</ETag>${
      info.checksum ? element(`Checksum${info.checksum.algorithm}`, info.checksum.value) : ""
    }`,
  );

export const copyObject: Operation = async (context) => {
  const { bucket, key, service } = context;
  refuseUnsupported(context);
  const source = copySource(context);
  const replace = directive(context, "x-amz-metadata-directive") === "REPLACE";
  const replaceTags = directive(context, "x-amz-tagging-directive") === "REPLACE";
  if (source.bucket === bucket && source.key === key && !replace && source.version === undefined)
    throw new S3Error(
      "InvalidRequest",
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  const info = await service.objects.copyObject(source, bucket, key, {
    metadata: replace ? metadataOf(context) : undefined,
    tags: replaceTags ? tagsOf(header(context, "x-amz-tagging") ?? "") : undefined,
    conditions: writeConditions(context),
    sourceConditions: conditionsOf(context, "x-amz-copy-source-"),
  });
  replyXml(context, copyResult("CopyObjectResult", info));
};

/** The key of `x-amz-rename-source`. @throws S3Error InvalidArgument */
export function renameSource(context: Context): string {
  try {
    const key = decodeURIComponent(header(context, "x-amz-rename-source") ?? "").replace(/^\//, "");
    if (key) return key;
  } catch {
    // Told below.
  }
  throw new S3Error("InvalidArgument", "Rename Source must be the URL-encoded key of the object to rename.", {
    ArgumentName: "x-amz-rename-source",
  });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html */
export const renameObject: Operation = async (context) => {
  const { bucket, key, service } = context;
  await service.objects.renameObject(bucket, renameSource(context), key, {
    conditions: conditionsOf(context),
    sourceConditions: conditionsOf(context, "x-amz-rename-source-"),
  });
  reply(context, 200);
};
