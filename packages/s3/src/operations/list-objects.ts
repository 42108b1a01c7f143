import { compareKeys, type ListPage } from "@overcoat/objects";
import { type Context, type Operation, replyXml } from "../context.ts";
import { S3Error } from "../errors.ts";
import { objectsXml, objectXml, ownerXml, urlEncode } from "../listing-xml.ts";
import { document, element, escapeText } from "../xml.ts";

/** S3's largest page. */
const mostKeys = 1000;

function limit(context: Context, name: string): { asked: number; taken: number } {
  const value = context.query.get(name);
  if (value === undefined || value === "") return { asked: mostKeys, taken: mostKeys };
  const asked = Number(value);
  if (!/^\d+$/.test(value) || asked > 2_147_483_647)
    throw new S3Error("InvalidArgument", `Argument ${name} must be an integer between 0 and 2147483647`, {
      ArgumentName: name,
      ArgumentValue: value,
    });
  return { asked: Math.min(asked, mostKeys), taken: Math.min(asked, mostKeys) };
}

function encoder(context: Context): { type: string | undefined; encode: (text: string) => string } {
  const type = context.query.get("encoding-type");
  if (type === undefined || type === "") return { type: undefined, encode: (text) => text };
  if (type !== "url")
    throw new S3Error("InvalidArgument", "Invalid Encoding Method specified in Request", {
      ArgumentName: "encoding-type",
      ArgumentValue: type,
    });
  return { type, encode: urlEncode };
}

const prefixesXml = (page: Pick<ListPage, "prefixes">, encode: (text: string) => string) =>
  page.prefixes
    .map((prefix) => `<CommonPrefixes>${element("Prefix", encode(prefix))}</CommonPrefixes>`)
    .join("");

/** Where the next page begins: `k` after a key, `p` after a common prefix. */
const tokenOf = (last: NonNullable<ListPage["last"]>) =>
  Buffer.from("key" in last ? `k${last.key}` : `p${last.prefix}`).toString("base64url");

function fromToken(token: string): { after?: string; afterPrefix?: string } {
  const place = Buffer.from(token, "base64url").toString();
  if (place.startsWith("k")) return { after: place.slice(1) };
  if (place.startsWith("p")) return { after: place.slice(1), afterPrefix: place.slice(1) };
  throw new S3Error("InvalidArgument", "The continuation token provided is incorrect", {
    ArgumentName: "continuation-token",
  });
}

/** A marker that is itself a common prefix of this listing was the end of the page before. */
function fromMarker(marker: string, prefix: string, delimiter: string | undefined) {
  if (!delimiter || !marker.startsWith(prefix)) return { after: marker };
  const end = marker.indexOf(delimiter, prefix.length);
  return end >= 0 && end + delimiter.length === marker.length
    ? { after: marker, afterPrefix: marker }
    : { after: marker };
}

export const listObjects: Operation = async (context) => {
  const { bucket, query, service } = context;
  const { asked, taken } = limit(context, "max-keys");
  const { type, encode } = encoder(context);
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") || undefined;
  const marker = query.get("marker") ?? "";
  const page = await service.objects.listObjects(bucket, {
    prefix,
    delimiter,
    maxKeys: taken,
    ...(marker ? fromMarker(marker, prefix, delimiter) : {}),
  });
  const { last } = page;
  const next = page.truncated && delimiter && last ? ("key" in last ? last.key : last.prefix) : undefined;
  replyXml(
    context,
    document(
      "ListBucketResult",
      element("Name", bucket) +
        element("Prefix", encode(prefix)) +
        element("Marker", encode(marker)) +
        element("NextMarker", next === undefined ? undefined : encode(next)) +
        element("MaxKeys", asked) +
        element("Delimiter", delimiter === undefined ? undefined : encode(delimiter)) +
        element("EncodingType", type) +
        element("IsTruncated", page.truncated) +
        objectsXml(page.objects, encode, true) +
        prefixesXml(page, encode),
    ),
  );
};

export const listObjectsV2: Operation = async (context) => {
  const { bucket, query, service } = context;
  const { asked, taken } = limit(context, "max-keys");
  const { type, encode } = encoder(context);
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") || undefined;
  const startAfter = query.get("start-after");
  const token = query.get("continuation-token");
  const page = await service.objects.listObjects(bucket, {
    prefix,
    delimiter,
    maxKeys: taken,
    ...(token ? fromToken(token) : startAfter ? { after: startAfter } : {}),
  });
  const withOwner = query.get("fetch-owner") === "true";
  replyXml(
    context,
    document(
      "ListBucketResult",
      element("Name", bucket) +
        element("Prefix", encode(prefix)) +
        element("StartAfter", startAfter === undefined ? undefined : encode(startAfter)) +
        element("ContinuationToken", token) +
        element("NextContinuationToken", page.truncated && page.last ? tokenOf(page.last) : undefined) +
        element("KeyCount", page.objects.length + page.prefixes.length) +
        element("MaxKeys", asked) +
        element("Delimiter", delimiter === undefined ? undefined : encode(delimiter)) +
        element("EncodingType", type) +
        element("IsTruncated", page.truncated) +
        objectsXml(page.objects, encode, withOwner) +
        prefixesXml(page, encode),
    ),
  );
};

/** Without versioning every object has the one version `null`. */
export const listObjectVersions: Operation = async (context) => {
  const { bucket, query, service } = context;
  const { asked, taken } = limit(context, "max-keys");
  const { type, encode } = encoder(context);
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") || undefined;
  const marker = query.get("key-marker") ?? "";
  const page = await service.objects.listVersions(bucket, {
    prefix,
    delimiter,
    maxKeys: taken,
    ...(marker ? fromMarker(marker, prefix, delimiter) : {}),
  });
  const last = page.truncated ? page.last : undefined;
  replyXml(
    context,
    document(
      "ListVersionsResult",
      element("Name", bucket) +
        element("Prefix", encode(prefix)) +
        element("KeyMarker", encode(marker)) +
        "<VersionIdMarker></VersionIdMarker>" +
        (last ? element("NextKeyMarker", encode("key" in last ? last.key : last.prefix)) : "") +
        (last ? element("NextVersionIdMarker", "null") : "") +
        element("MaxKeys", asked) +
        element("Delimiter", delimiter === undefined ? undefined : encode(delimiter)) +
        element("EncodingType", type) +
        element("IsTruncated", page.truncated) +
        page.objects
          .flatMap(({ versions }) =>
            versions.map(
              ({ id, info }, i) =>
                `<Version>${element("VersionId", id)}<IsLatest>${i === 0}</IsLatest>${objectXml(info, encode, true)}</Version>`,
            ),
          )
          .join("") +
        prefixesXml(page, encode),
    ),
  );
};

export const listMultipartUploads: Operation = async (context) => {
  const { bucket, query, service } = context;
  await service.objects.buckets.path(bucket);
  const { asked, taken } = limit(context, "max-uploads");
  const { type, encode } = encoder(context);
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") || undefined;
  const keyMarker = query.get("key-marker") ?? "";
  const idMarker = query.get("upload-id-marker") ?? "";
  const found = (await service.objects.uploads.list(bucket)).filter(
    ({ key, id }) =>
      key.startsWith(prefix) &&
      (compareKeys(key, keyMarker) > 0 || (key === keyMarker && idMarker !== "" && id > idMarker)),
  );
  const prefixes = new Set<string>();
  let inner = "";
  let last: { key: string; id: string } | undefined;
  let truncated = false;
  let count = 0;
  for (const upload of found) {
    const end = delimiter ? upload.key.indexOf(delimiter, prefix.length) : -1;
    const common = delimiter && end >= 0 ? upload.key.slice(0, end + delimiter.length) : undefined;
    const isNew = common === undefined || !prefixes.has(common);
    if (isNew && count++ >= taken) {
      truncated = taken > 0;
      break;
    }
    last = upload;
    if (common !== undefined) prefixes.add(common);
    else {
      const checksum = upload.checksum
        ? element("ChecksumAlgorithm", upload.checksum.algorithm) +
          element("ChecksumType", upload.checksum.type)
        : "";
      inner += `<Upload>${element("Key", encode(upload.key))}${element("UploadId", upload.id)}${ownerXml("Initiator")}${ownerXml()}<StorageClass>STANDARD</StorageClass><Initiated>${new Date(upload.initiated).toISOString()}</Initiated>${checksum}</Upload>`;
    }
  }
  const common = [...prefixes].map(
    (one) => `<CommonPrefixes>${element("Prefix", encode(one))}</CommonPrefixes>`,
  );
  replyXml(
    context,
    document(
      "ListMultipartUploadsResult",
      `${element("Bucket", bucket)}${element("KeyMarker", encode(keyMarker))}<UploadIdMarker>${escapeText(idMarker)}</UploadIdMarker>${
        truncated && last
          ? element("NextKeyMarker", encode(last.key)) + element("NextUploadIdMarker", last.id)
          : ""
      }${element("Prefix", encode(prefix))}${delimiter ? element("Delimiter", encode(delimiter)) : ""}${element("EncodingType", type)}${element("MaxUploads", asked)}${element("IsTruncated", truncated)}${inner}${common.join("")}`,
    ),
  );
};
