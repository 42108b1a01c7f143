import { ObjectsError } from "@overcoat/objects";
import { permissions } from "../authorize.ts";
import { header, type Operation, reply, replyXml } from "../context.ts";
import { S3Error } from "../errors.ts";
import { writeConditions } from "../headers.ts";
import { document, element, parse, records, text } from "../xml.ts";
import { smallBody } from "./body.ts";

/** S3's limit for one request. */
const mostObjects = 1000;

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
  const one = async (object: (typeof objects)[number]): Promise<string> => {
    const key = text(object.Key) ?? "";
    const version = text(object.VersionId);
    const named = element("Key", key) + element("VersionId", version);
    try {
      if (!may("DeleteObject", key)) throw new S3Error("AccessDenied");
      if (version !== undefined && version !== "" && version !== "null") throw new S3Error("NoSuchVersion");
      for (const name of ["LastModifiedTime", "Size"]) if (object[name] !== undefined) throw refused(name);
      const etag = text(object.ETag);
      await service.objects.deleteObject(bucket, key, etag === undefined ? undefined : { ifMatch: etag });
      return quiet ? "" : `<Deleted>${named}</Deleted>`;
    } catch (error) {
      if (!(error instanceof ObjectsError || error instanceof S3Error)) throw error;
      return `<Error>${named}${element("Code", error.code)}${element("Message", error.message)}</Error>`;
    }
  };
  let inner = "";
  for (let at = 0; at < objects.length; at += 32)
    inner += (await Promise.all(objects.slice(at, at + 32).map(one))).join("");
  replyXml(context, document("DeleteResult", inner));
};
