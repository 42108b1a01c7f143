import { createHash } from "node:crypto";
import {
  type Checksum,
  type ChecksumAlgorithm,
  type CompletedPart,
  checksumAlgorithms,
  ObjectsError,
  type Upload,
} from "@overcoat/objects";
import { combineCrc, createChecksum } from "../body/checksum.ts";
import { type Context, header, locationOf, type Operation, reply, replyXml, sendHead } from "../context.ts";
import { S3Error } from "../errors.ts";
import { algorithmOf, checksumHeader, conditionsOf, metadataOf, writeConditions } from "../headers.ts";
import { ownerXml } from "../listing-xml.ts";
import { document, element, parse, records, text } from "../xml.ts";
import { smallBody } from "./body.ts";
import { copyResult, copySource, payload, refuseUnsupported } from "./write-object.ts";

const keepAliveAfter = 10_000;

/** Checksum types that S3 allows for uploads in parts (user guide, "Checking object integrity"). */
function checksumOf(context: Context): Upload["checksum"] {
  const algorithm = algorithmOf(header(context, "x-amz-checksum-algorithm"));
  const asked = header(context, "x-amz-checksum-type")?.toUpperCase();
  if (!algorithm) {
    if (asked !== undefined)
      throw new S3Error(
        "InvalidRequest",
        "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
      );
    return undefined;
  }
  const full = algorithm === "CRC64NVME";
  const type = asked ?? (full ? "FULL_OBJECT" : "COMPOSITE");
  if (
    (type !== "FULL_OBJECT" && type !== "COMPOSITE") ||
    (full && type === "COMPOSITE") ||
    (algorithm.startsWith("SHA") && type === "FULL_OBJECT")
  )
    throw new S3Error(
      "InvalidRequest",
      `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  return { algorithm, type };
}

export const createMultipartUpload: Operation = async (context) => {
  const { bucket, key, service } = context;
  refuseUnsupported(context);
  const checksum = checksumOf(context);
  const upload = await service.objects.createUpload({ bucket, key, metadata: metadataOf(context), checksum });
  if (checksum) {
    context.headers["x-amz-checksum-algorithm"] = checksum.algorithm;
    context.headers["x-amz-checksum-type"] = checksum.type;
  }
  replyXml(
    context,
    document(
      "InitiateMultipartUploadResult",
      element("Bucket", bucket) + element("Key", key) + element("UploadId", upload.id),
    ),
  );
};

function partNumber(context: Context): number {
  const value = context.query.get("partNumber") ?? "";
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < 1 || number > 10_000)
    throw new S3Error("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive", {
      ArgumentName: "partNumber",
      ArgumentValue: value,
    });
  return number;
}

const uploadOf = async (context: Context): Promise<Upload> => {
  const { bucket, key, query, service } = context;
  await service.objects.buckets.path(bucket);
  return service.objects.uploads.get(query.get("uploadId") ?? "", bucket, key);
};

/** Refuses a part whose checksum is of another algorithm than the upload's. @throws S3Error InvalidRequest */
function checkAlgorithm(context: Context, { checksum }: Upload): void {
  if (!checksum) return;
  const other = checksumAlgorithms.find((one) => {
    const name = checksumHeader(one);
    const sent = header(context, name) !== undefined || header(context, "x-amz-trailer") === name;
    return sent && one !== checksum.algorithm;
  });
  if (other)
    throw new S3Error(
      "InvalidRequest",
      `Checksum Type mismatch occurred, expected checksum Type: ${checksum.algorithm.toLowerCase()}, actual checksum Type: ${other.toLowerCase()}`,
    );
}

export const uploadPart: Operation = async (context) => {
  const number = partNumber(context);
  const upload = await uploadOf(context);
  checkAlgorithm(context, upload);
  const part = await context.service.objects.uploads.addPart(
    upload,
    number,
    payload(context, upload.checksum?.algorithm),
  );
  const checksum =
    part.checksum && upload.checksum ? { [checksumHeader(upload.checksum.algorithm)]: part.checksum } : {};
  reply(context, 200, { etag: `"${part.etag}"`, ...checksum });
};

export const uploadPartCopy: Operation = async (context) => {
  const number = partNumber(context);
  const upload = await uploadOf(context);
  const source = copySource(context);
  const { objects } = context.service;
  const object =
    source.version === undefined
      ? await objects.getObject(source.bucket, source.key)
      : await objects.getVersion(source.bucket, source.key, source.version);
  try {
    const conditions = conditionsOf(context, "x-amz-copy-source-");
    if (conditions) objects.checkSource(object.info, conditions);
    const { start, end } = copyRange(header(context, "x-amz-copy-source-range"), object.info.size);
    const md5 = createHash("md5");
    const checksum = upload.checksum && createChecksum(upload.checksum.algorithm);
    async function* chunks() {
      if (end > start)
        for await (const chunk of object.readChunks(start, end)) {
          md5.update(chunk);
          checksum?.update(chunk);
          yield chunk as Buffer;
        }
    }
    const part = await objects.uploads.addPart(upload, number, {
      chunks: chunks(),
      length: end - start,
      result: () => ({
        md5: md5.digest("hex"),
        checksum: checksum &&
          upload.checksum && { algorithm: upload.checksum.algorithm, value: checksum.digest() },
      }),
    });
    replyXml(
      context,
      copyResult("CopyPartResult", {
        etag: part.etag,
        modified: part.modified,
        checksum:
          part.checksum && upload.checksum
            ? { ...upload.checksum, type: "FULL_OBJECT", value: part.checksum }
            : undefined,
      }),
    );
  } finally {
    await object.close();
  }
};

function copyRange(range: string | undefined, size: number): { start: number; end: number } {
  if (range === undefined) return { start: 0, end: size };
  const match = /^bytes=(\d+)-(\d+)$/.exec(range);
  if (!match)
    throw new S3Error(
      "InvalidArgument",
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
      {
        ArgumentName: "x-amz-copy-source-range",
        ArgumentValue: range,
      },
    );
  const start = Number(match[1]);
  const end = Number(match[2]) + 1;
  if (start >= end || end > size)
    throw new S3Error("InvalidArgument", `Range specified is not valid for source object of size: ${size}`, {
      ArgumentName: "x-amz-copy-source-range",
      ArgumentValue: range,
    });
  return { start, end };
}

export const listParts: Operation = async (context) => {
  const { bucket, key, query, service } = context;
  const upload = await uploadOf(context);
  const most = Math.min(Number(query.get("max-parts") ?? 1000), 1000);
  const marker = Number(query.get("part-number-marker") ?? 0);
  if (!(most >= 0 && marker >= 0))
    throw new S3Error("InvalidArgument", "max-parts and part-number-marker must be numbers.");
  const rest = (await service.objects.uploads.parts(upload)).filter((part) => part.number > marker);
  const page = rest.slice(0, most);
  const parts = page.map(
    (part) =>
      `<Part>${element("PartNumber", part.number)}${element("LastModified", new Date(part.modified).toISOString())}<ETag>&quot;${part.etag}&quot;</ETag>${element("Size", part.size)}${upload.checksum ? element(`Checksum${upload.checksum.algorithm}`, part.checksum) : ""}</Part>`,
  );
  replyXml(
    context,
    document(
      "ListPartsResult",
      `${element("Bucket", bucket)}${element("Key", key)}${element("UploadId", upload.id)}${ownerXml("Initiator")}${ownerXml()}<StorageClass>STANDARD</StorageClass>${element("PartNumberMarker", marker)}${element("NextPartNumberMarker", page.at(-1)?.number ?? 0)}${element("MaxParts", most)}${element("IsTruncated", rest.length > page.length)}${upload.checksum ? element("ChecksumAlgorithm", upload.checksum.algorithm) + element("ChecksumType", upload.checksum.type) : ""}${parts.join("")}`,
    ),
  );
};

export const abortMultipartUpload: Operation = async (context) => {
  const upload = await uploadOf(context);
  await context.service.objects.uploads.remove(upload.id);
  reply(context, 204);
};

/** The checksum of the whole from those of the parts. */
function combine(
  { algorithm, type }: NonNullable<Upload["checksum"]>,
  parts: readonly { size: number; checksum?: string }[],
): Checksum | undefined {
  if (parts.some((part) => part.checksum === undefined)) return undefined;
  if (type === "COMPOSITE") {
    const whole = createChecksum(algorithm);
    for (const part of parts) whole.update(Buffer.from(part.checksum!, "base64"));
    return { algorithm, type, value: `${whole.digest()}-${parts.length}` };
  }
  const value = parts
    .map((part) => ({ crc: part.checksum!, size: part.size }))
    .reduce((a, b) => ({
      crc: combineCrc(algorithm as Extract<ChecksumAlgorithm, `CRC${string}`>, a.crc, b.crc, b.size),
      size: a.size + b.size,
    })).crc;
  return { algorithm, type, value };
}

function namedParts(body: Buffer): CompletedPart[] {
  const parts = records(parse(body, "CompleteMultipartUpload").Part);
  if (parts.length === 0 || parts.length > 10_000) throw new S3Error("MalformedXML");
  return parts.map((part) => {
    const number = Number(text(part.PartNumber));
    const etag = text(part.ETag);
    if (!Number.isInteger(number) || etag === undefined) throw new S3Error("MalformedXML");
    const checksum = Object.keys(part).find((name) => name.startsWith("Checksum"));
    return { number, etag, checksum: checksum && text(part[checksum]) };
  });
}

export const completeMultipartUpload: Operation = async (context) => {
  const { bucket, key, query, service, response } = context;
  const named = namedParts(await smallBody(context, true));
  const size = header(context, "x-amz-mp-object-size");
  const keepAlive = setInterval(() => {
    if (!response.headersSent) {
      sendHead(context, 200, { "content-type": "application/xml" });
      response.write('<?xml version="1.0" encoding="UTF-8"?>\n');
    } else response.write(" ");
  }, keepAliveAfter);
  try {
    const info = await service.objects.completeUpload(bucket, key, query.get("uploadId") ?? "", named, {
      conditions: writeConditions(context),
      size: size === undefined ? undefined : Number(size),
      checksum: (upload, parts) => {
        const checksum = upload.checksum && combine(upload.checksum, parts);
        const expected = checksum && header(context, checksumHeader(checksum.algorithm));
        if (
          expected !== undefined &&
          expected !== checksum?.value &&
          expected !== checksum?.value.replace(/-\d+$/, "")
        )
          throw new ObjectsError(
            "BadDigest",
            `The ${checksum?.algorithm.toLowerCase()} you specified did not match the calculated checksum.`,
          );
        return checksum;
      },
    });
    const { checksum } = info;
    const xml = document(
      "CompleteMultipartUploadResult",
      `${element("Location", locationOf(context, key))}${element("Bucket", bucket)}${element("Key", key)}<ETag>&quot;${info.etag}&quot;</ETag>${
        checksum
          ? element(`Checksum${checksum.algorithm}`, checksum.value) + element("ChecksumType", checksum.type)
          : ""
      }`,
    );
    if (response.headersSent) response.end(xml.slice(xml.indexOf("\n") + 1));
    else replyXml(context, xml);
  } finally {
    clearInterval(keepAlive);
  }
};
