import type { ServerResponse } from "node:http";
import { type Checksum, isOutdated, type ObjectInfo, type ObjectPart } from "@overcoat/objects";
import { type Context, type Headers, header, type Operation, reply, sendHead } from "../context.ts";
import { S3Error } from "../errors.ts";
import { checksumHeaders, conditionsOf, objectHeaders } from "../headers.ts";

/** Bodies up to this size go out in one piece. */
const atOnce = 256 * 1024;
/** How often an object is looked at anew that others changed while it was opened. */
const attempts = 3;

interface Slice {
  readonly status: 200 | 206;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** That of exactly these bytes, where it is known. */
  readonly checksum: Checksum | undefined;
  readonly headers: Headers;
}

/** What of the object is asked for (RFC 9110 section 14; `partNumber`). @throws S3Error InvalidRange, InvalidPartNumber */
function slice(context: Context, info: ObjectInfo): Slice {
  const part = context.query.get("partNumber");
  const range = header(context, "range");
  if (part !== undefined) {
    if (range !== undefined)
      throw new S3Error("InvalidRequest", "Cannot specify both Range header and partNumber query parameter");
    return slicePart(part, info);
  }
  const whole: Slice = { status: 200, start: 0, end: info.size, checksum: info.checksum, headers: {} };
  const match =
    range === undefined || !rangeHolds(header(context, "if-range"), info)
      ? null
      : /^bytes=(\d*)-(\d*)$/.exec(range.replaceAll(" ", ""));
  if (!match || (match[1] === "" && match[2] === "")) return whole;
  const first = match[1] === "" ? Math.max(0, info.size - Number(match[2])) : Number(match[1]);
  const last = match[1] === "" || match[2] === "" ? info.size - 1 : Math.min(Number(match[2]), info.size - 1);
  if (match[1] !== "" && match[2] !== "" && Number(match[2]) < Number(match[1])) return whole;
  if (first >= info.size || (match[1] === "" && Number(match[2]) === 0))
    throw new S3Error("InvalidRange", undefined, {
      RangeRequested: range ?? "",
      ActualObjectSize: String(info.size),
    });
  return {
    status: 206,
    start: first,
    end: last + 1,
    checksum: first === 0 && last === info.size - 1 ? info.checksum : undefined,
    headers: { "content-range": `bytes ${first}-${last}/${info.size}` },
  };
}

/** Whether the object is still the one whose range is asked for (RFC 9110 section 13.1.5). */
function rangeHolds(condition: string | undefined, info: ObjectInfo): boolean {
  if (condition === undefined) return true;
  if (condition.startsWith('"')) return condition === `"${info.etag}"`;
  return Math.floor(Date.parse(condition) / 1000) === Math.floor(info.modified / 1000);
}

function slicePart(value: string, info: ObjectInfo): Slice {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > 10_000)
    throw new S3Error("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive", {
      ArgumentName: "partNumber",
      ArgumentValue: value,
    });
  const parts = info.parts ?? [{ size: info.size }];
  const part = parts[number - 1];
  if (!part)
    throw new S3Error("InvalidPartNumber", undefined, {
      PartNumberRequested: value,
      ActualPartCount: String(parts.length),
    });
  const start = parts.slice(0, number - 1).reduce((sum, one) => sum + one.size, 0);
  const headers: Slice["headers"] = info.parts ? { "x-amz-mp-parts-count": parts.length } : {};
  if (part.size) headers["content-range"] = `bytes ${start}-${start + part.size - 1}/${info.size}`;
  const checksum = info.parts ? partChecksum(info.checksum, part) : info.checksum;
  return { status: 206, start, end: start + part.size, checksum, headers };
}

const partChecksum = (whole: Checksum | undefined, { checksum }: ObjectPart) =>
  whole && checksum !== undefined ? { ...whole, value: checksum } : undefined;

function headersOf(context: Context, info: ObjectInfo, { start, end, checksum, headers }: Slice): Headers {
  const asked = header(context, "x-amz-checksum-mode")?.toUpperCase() === "ENABLED";
  return {
    ...objectHeaders(context, info),
    ...(asked && checksumHeaders({ checksum })),
    ...headers,
    "content-length": end - start,
  };
}

/** The version that is asked for; undefined for the present one. @throws S3Error NoSuchVersion, InvalidArgument */
function versionOf({ query, service }: Context): string | undefined {
  const version = query.get("versionId");
  if (version === undefined || version === "null") return undefined;
  if (version !== "" && service.objects.versioned) return version;
  throw new S3Error(version === "" ? "InvalidArgument" : "NoSuchVersion", undefined, { VersionId: version });
}

export const headObject: Operation = async (context) => {
  const { bucket, key, service } = context;
  const version = versionOf(context);
  const conditions = conditionsOf(context);
  let info: ObjectInfo;
  if (version === undefined) info = await service.objects.headObject(bucket, key, conditions);
  else {
    await using object = await service.objects.getVersion(bucket, key, version, conditions);
    info = object.info;
  }
  const range = slice(context, info);
  reply(context, range.status, { ...headersOf(context, info, range), "x-amz-version-id": version });
};

export const getObject: Operation = async (context) => {
  for (let attempt = 1; ; attempt++)
    try {
      return await answer(context);
    } catch (error) {
      if (context.response.headersSent || attempt === attempts || !isOutdated(error)) throw error;
    }
};

/** Answers with the object as it is known, which may turn out to be outdated before the first byte. */
async function answer(context: Context): Promise<void> {
  const { bucket, key, service, response } = context;
  const version = versionOf(context);
  const conditions = conditionsOf(context);
  const object =
    version === undefined
      ? await service.objects.getObject(bucket, key, conditions)
      : await service.objects.getVersion(bucket, key, version, conditions);
  try {
    const range = slice(context, object.info);
    const { status, start, end } = range;
    const headers = headersOf(context, object.info, range);
    if (version !== undefined) headers["x-amz-version-id"] = version;
    if (end - start <= atOnce) {
      const bytes = await object.readBytes(start, end);
      if (bytes.length !== end - start)
        throw new S3Error("InternalError", "The file was cut short while it was read.");
      return reply(context, status, headers, bytes);
    }
    const chunks = await begun(object.readChunks(start, end));
    sendHead(context, status, headers);
    await send(chunks, response);
  } finally {
    const closing = object.close();
    if (closing) await closing;
  }
}

/** The same chunks, of which the first one is there. */
async function begun(chunks: AsyncIterable<Buffer>): Promise<AsyncIterable<Buffer>> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first = await iterator.next();
  return (async function* () {
    try {
      for (let next = first; !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  })();
}

/** Sends chunks, each when the one before has gone out. @throws Error when the client is gone */
async function send(chunks: AsyncIterable<Buffer>, response: ServerResponse): Promise<void> {
  let gone: (error: Error) => void = () => {};
  const closed = () => gone(new Error("The client closed the connection"));
  response.once("close", closed);
  try {
    for await (const chunk of chunks)
      await new Promise<void>((resolve, reject) => {
        gone = reject;
        if (response.destroyed) closed();
        else response.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
    response.end();
  } finally {
    response.off("close", closed);
  }
}
