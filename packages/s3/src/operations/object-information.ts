import { header, type Operation, reply, replyXml } from "../context.ts";
import { S3Error } from "../errors.ts";
import { conditionsOf } from "../headers.ts";
import { document, element } from "../xml.ts";
import { smallBody } from "./body.ts";
import { parseTags, tagsXml } from "./buckets.ts";

const attributes = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];

export const getObjectAttributes: Operation = async (context) => {
  const { bucket, key, service } = context;
  const asked = (header(context, "x-amz-object-attributes") ?? "").split(",").map((one) => one.trim());
  const unknown = asked.find((one) => !attributes.includes(one));
  if (unknown !== undefined)
    throw new S3Error("InvalidArgument", "Invalid attribute name specified.", {
      ArgumentName: "x-amz-object-attributes",
    });
  const info = await service.objects.headObject(bucket, key, conditionsOf(context));
  const { checksum, parts } = info;
  let inner = "";
  if (asked.includes("ETag")) inner += element("ETag", info.etag);
  if (asked.includes("Checksum") && checksum)
    inner += `<Checksum>${element(`Checksum${checksum.algorithm}`, checksum.value)}${element("ChecksumType", checksum.type)}</Checksum>`;
  if (asked.includes("ObjectParts") && parts) {
    const most = Math.min(Number(header(context, "x-amz-max-parts") ?? 1000), 1000);
    const marker = Number(header(context, "x-amz-part-number-marker") ?? 0);
    if (!(most >= 0 && marker >= 0))
      throw new S3Error("InvalidArgument", "x-amz-max-parts and x-amz-part-number-marker must be numbers.");
    const page = parts.slice(marker, marker + most);
    const detailed = checksum !== undefined && parts.some((part) => part.checksum !== undefined);
    inner += `<ObjectParts>${element("PartsCount", parts.length)}${element("PartNumberMarker", marker)}${element("NextPartNumberMarker", marker + page.length)}${element("MaxParts", most)}${element("IsTruncated", marker + page.length < parts.length)}${
      detailed
        ? page
            .map(
              (part, i) =>
                `<Part>${element("PartNumber", marker + i + 1)}${element("Size", part.size)}${element(`Checksum${checksum.algorithm}`, part.checksum)}</Part>`,
            )
            .join("")
        : ""
    }</ObjectParts>`;
  }
  if (asked.includes("StorageClass")) inner += element("StorageClass", "STANDARD");
  if (asked.includes("ObjectSize")) inner += element("ObjectSize", info.size);
  context.headers["last-modified"] = new Date(info.modified).toUTCString();
  replyXml(context, document("GetObjectAttributesResponse", inner));
};

export const getObjectTagging: Operation = async (context) => {
  const info = await context.service.objects.headObject(context.bucket, context.key);
  replyXml(context, tagsXml(info.metadata.tags));
};

export const putObjectTagging: Operation = async (context) => {
  const tags = parseTags(await smallBody(context), 10);
  await context.service.objects.setTags(context.bucket, context.key, tags);
  reply(context, 200);
};

export const deleteObjectTagging: Operation = async (context) => {
  await context.service.objects.setTags(context.bucket, context.key, {});
  reply(context, 204);
};
