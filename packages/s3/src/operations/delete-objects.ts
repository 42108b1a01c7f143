import { ObjectsError } from "@overcoat/objects";
import { permissions } from "../authorize.ts";
import { header, type Operation, reply, replyXml } from "../context.ts";
import { S3Error } from "../errors.ts";
import { writeConditions } from "../headers.ts";
import { document, element, parse, records, text } from "../xml.ts";
import { smallBody } from "./body.ts";

/** S3's limit for one request. */
const mostObjects = 1000;

/** Objects with a condition of their own that are deleted at the same time. */
const conditionalAtOnce = 32;

/** S3 has these conditions for directory buckets only; passed over they would delete too much. */
const refused = (name: string, detail?: Record<string, string>) =>
  new S3Error("NotImplemented", `The condition ${name} is not implemented; use the ETag instead.`, detail);

export const deleteObject: Operation = async (context) => {
  const { bucket, key, query, service } = context;
  const version = query.get("versionId");
  if (version !== undefined && version !== "null")
    throw new S3Error("NoSuchVersion", undefined, { VersionId: version });
  for (const name of ["x-amz-if-match-last-modified-time", "x-amz-if-match-size"])
    if (header(context, name) !== undefined) throw refused(name, { Header: name });
  await service.objects.deleteObject(bucket, key, writeConditions(context));
  reply(context, 204);
};

export const deleteObjects: Operation = async (context) => {
  const { bucket, service } = context;
  await service.objects.buckets.path(bucket);
  const { may } = await permissions(context, bucket);
  const { headers } = context.request;
  const body = await smallBody(context);
  if (
    header(context, "content-md5") === undefined &&
    !Object.keys(headers).some((name) => name.startsWith("x-amz-checksum-") || name === "x-amz-trailer")
  )
    throw new S3Error("InvalidRequest", "Missing required header for this request: Content-MD5");
  const request = parse(body, "Delete");
  const objects = records(request.Object);
  if (objects.length === 0 || objects.length > mostObjects) throw new S3Error("MalformedXML");
  const quiet = text(request.Quiet) === "true";
  const asked = objects.map((object) => {
    const key = text(object.Key) ?? "";
    const version = text(object.VersionId);
    return {
      key,
      version,
      etag: text(object.ETag),
      refusal: refusalOf(object, may("DeleteObject", key), version),
    };
  });
  const plain = asked.filter(({ etag, refusal }) => etag === undefined && !refusal);
  const conditional = asked.filter(({ etag, refusal }) => etag !== undefined && !refusal);
  const results = new Map<object, unknown>(asked.map((one) => [one, one.refusal]));
  const together = await service.objects.deleteObjects(
    bucket,
    plain.map(({ key }) => key),
  );
  for (const [i, one] of plain.entries()) results.set(one, together[i]);
  for (let at = 0; at < conditional.length; at += conditionalAtOnce)
    await Promise.all(
      conditional.slice(at, at + conditionalAtOnce).map(async (one) => {
        const { key, etag } = one;
        const deleted = service.objects.deleteObject(bucket, key, { ifMatch: etag });
        results.set(one, await deleted.catch((error: unknown) => error));
      }),
    );
  let inner = "";
  for (const [one, result] of results) {
    const { key, version } = one as (typeof asked)[number];
    const named = element("Key", key) + element("VersionId", version);
    if (result instanceof ObjectsError || result instanceof S3Error)
      inner += `<Error>${named}${element("Code", result.code)}${element("Message", result.message)}</Error>`;
    else if (result instanceof Error) throw result;
    else if (!quiet) inner += `<Deleted>${named}</Deleted>`;
  }
  replyXml(context, document("DeleteResult", inner));
};

/** Why an object of the request cannot be deleted, as far as that shows beforehand. */
function refusalOf(object: Record<string, unknown>, allowed: boolean, version: string | undefined) {
  if (!allowed) return new S3Error("AccessDenied");
  if (version !== undefined && version !== "" && version !== "null") return new S3Error("NoSuchVersion");
  const condition = ["LastModifiedTime", "Size"].find((name) => object[name] !== undefined);
  return condition === undefined ? undefined : refused(condition);
}
