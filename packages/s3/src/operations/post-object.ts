import type { IncomingHttpHeaders } from "node:http";
import { checksumAlgorithms, systemHeaders } from "@overcoat/objects";
import { checkCannedAcl } from "../acl.ts";
import { verifyPostPolicy } from "../auth/post-policy.ts";
import { permissions } from "../authorize.ts";
import { type Form, readForm } from "../body/form-data.ts";
import { readBody } from "../body/payload.ts";
import { type Context, locationOf, type Operation, reply } from "../context.ts";
import { S3Error } from "../errors.ts";
import { checksumHeader, checksumHeaders, metadataOf } from "../headers.ts";
import { element } from "../xml.ts";
import { bodyOf } from "./body.ts";
import { parseTags } from "./buckets.ts";
import { refuseUnsupported } from "./write-object.ts";

/** S3's largest file of a form, in bytes. */
const largestFile = 5 * 1024 ** 3;
/** Bytes after the file that are read so that the connection can be kept. */
const ignoredRest = 1 << 20;

const bodyFields = new Set(["content-md5", "x-amz-sdk-checksum-algorithm"]);
for (const algorithm of checksumAlgorithms) bodyFields.add(checksumHeader(algorithm));

/** The fields that are headers in a PUT, as Node.js would have read those. @throws S3Error InvalidArgument */
function headersOf(fields: ReadonlyMap<string, string>): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (const [name, text] of fields) {
    const taken =
      bodyFields.has(name) ||
      (systemHeaders as readonly string[]).includes(name) ||
      (name.startsWith("x-amz-") && name !== "x-amz-content-sha256" && name !== "x-amz-tagging");
    if (!taken) continue;
    const value = Buffer.from(text.trim(), "utf8").toString("latin1");
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(value))
      throw new S3Error("InvalidArgument", "A field of the form cannot be a header.", { ArgumentName: name });
    headers[name] = value;
  }
  return headers;
}

/** Replaces the variable in the key. @throws S3Error InvalidArgument without a key */
function keyOf({ fields, filename }: Form): string {
  const key = fields.get("key")?.replaceAll("$" + "{filename}", () => filename);
  if (key) return key;
  throw new S3Error(
    "InvalidArgument",
    "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
    { ArgumentName: "key", ArgumentValue: "" },
  );
}

/** Lets a file pass that has a length within bounds. @throws S3Error EntityTooLarge, EntityTooSmall */
async function* within(file: AsyncIterable<Buffer>, least: number, most: number) {
  let size = 0;
  for await (const chunk of file) {
    size += chunk.length;
    if (size > most)
      throw new S3Error("EntityTooLarge", undefined, {
        ProposedSize: String(size),
        MaxSizeAllowed: String(most),
      });
    yield chunk;
  }
  if (size < least)
    throw new S3Error("EntityTooSmall", undefined, {
      ProposedSize: String(size),
      MinSizeAllowed: String(least),
    });
}

/** Where a browser is to go next; undefined for what is no address, which S3 ignores. */
function redirection(fields: ReadonlyMap<string, string>, query: string): string | undefined {
  const given = fields.get("success_action_redirect") ?? fields.get("redirect");
  const url = given ? URL.parse(given) : null;
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined;
  url.search = url.search ? `${url.search}&${query}` : query;
  return url.href;
}

/** Whether this form may write this key, and how much. @throws S3Error */
async function permit({ service, bucket }: Context, key: string, fields: ReadonlyMap<string, string>) {
  const { credential, minLength, maxLength } = verifyPostPolicy(fields, {
    lookup: (id) => service.lookup(id),
    v2Allowed: service.v2Auth,
    bucket,
  });
  const { may } = await permissions({ service, credential }, bucket);
  if (!may("PostObject", key) || (fields.has("tagging") && !may("PutObjectTagging", key)))
    throw new S3Error("AccessDenied");
  return { least: minLength ?? 0, most: Math.min(maxLength ?? largestFile, largestFile) };
}

async function store(context: Context, source: AsyncIterator<Buffer>): Promise<void> {
  const { bucket, request, service } = context;
  const form = await readForm(source, request.headers["content-type"] ?? "");
  const key = keyOf(form);
  const fields = form.fields.set("key", key);
  const { least, most } = await permit(context, key, fields);

  const headers = headersOf(fields);
  const asPut = { ...context, key, request: { headers } } as unknown as Context;
  checkCannedAcl(fields.get("acl"));
  refuseUnsupported(asPut);
  const tagging = fields.get("tagging");
  const metadata = {
    ...metadataOf(asPut),
    tags: tagging ? parseTags(Buffer.from(tagging), 10) : {},
  };
  const bodyHeaders: IncomingHttpHeaders = {};
  for (const name of bodyFields) if (headers[name] !== undefined) bodyHeaders[name] = headers[name];
  const payload = readBody(within(form.file, least, most), bodyHeaders, "anonymous");
  const info = await service.objects.putObject(bucket, key, payload, { metadata });

  for (let rest = 0; rest <= ignoredRest; ) {
    const { done, value } = await source.next();
    if (done) break;
    rest += value.length;
  }
  const etag = `"${info.etag}"`;
  const query = `bucket=${encodeURIComponent(bucket)}&key=${encodeURIComponent(key)}&etag=${encodeURIComponent(etag)}`;
  const redirect = redirection(fields, query);
  const location = locationOf(context, key);
  const answer = { etag, location: redirect ?? location, ...checksumHeaders(info) };
  if (redirect !== undefined) return reply(context, 303, answer);
  const status = fields.get("success_action_status");
  if (status === "200") return reply(context, 200, answer);
  if (status !== "201") return reply(context, 204, answer);
  // The one answer of S3 that is in no namespace.
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>${element("Location", location)}${element("Bucket", bucket)}${element("Key", key)}<ETag>&quot;${info.etag}&quot;</ETag></PostResponse>`;
  reply(context, 201, { ...answer, "content-type": "application/xml" }, xml);
}

/**
 * PostObject, a browser's upload by form; verifies the sender itself, by the policy in the form.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
 */
export const postObject: Operation = async (context) => {
  const source = bodyOf(context)[Symbol.asyncIterator]();
  try {
    await store(context, source);
  } finally {
    await source.return?.();
  }
};
