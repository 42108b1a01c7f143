import { pipeline } from "node:stream/promises";
import type { ObjectInfo } from "@overcoat/objects";
import { type Context, header, type Operation, reply } from "../context.ts";
import { S3Error } from "../errors.ts";
import { conditionsOf, objectHeaders } from "../headers.ts";

/** Bodies up to this size go out in one piece. */
const atOnce = 256 * 1024;

interface Slice {
  readonly status: 200 | 206;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly headers: Record<string, string | number>;
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
  const whole: Slice = { status: 200, start: 0, end: info.size, headers: {} };
  const match = range === undefined ? null : /^bytes=(\d*)-(\d*)$/.exec(range.replaceAll(" ", ""));
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
    headers: { "content-range": `bytes ${first}-${last}/${info.size}` },
  };
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
  if (!part) throw new S3Error(info.parts ? "InvalidPart" : "InvalidPartNumber");
  const start = parts.slice(0, number - 1).reduce((sum, one) => sum + one.size, 0);
  const headers: Slice["headers"] = info.parts ? { "x-amz-mp-parts-count": parts.length } : {};
  if (part.size) headers["content-range"] = `bytes ${start}-${start + part.size - 1}/${info.size}`;
  return { status: 206, start, end: start + part.size, headers };
}

function versionOf(context: Context): void {
  const version = context.query.get("versionId");
  if (version !== undefined && version !== "null")
    throw new S3Error(version === "" ? "InvalidArgument" : "NoSuchVersion", undefined, {
      VersionId: version,
    });
}

export const headObject: Operation = async (context) => {
  versionOf(context);
  const info = await context.service.objects.headObject(context.bucket, context.key, conditionsOf(context));
  const { status, start, end, headers } = slice(context, info);
  reply(context, status, { ...objectHeaders(context, info), ...headers, "content-length": end - start });
};

export const getObject: Operation = async (context) => {
  versionOf(context);
  const { response } = context;
  const object = await context.service.objects.getObject(context.bucket, context.key, conditionsOf(context));
  try {
    const { status, start, end, headers } = slice(context, object.info);
    const all = objectHeaders(context, object.info);
    if (status === 206 && !context.query.has("partNumber"))
      for (const name in all) if (name.startsWith("x-amz-checksum-")) delete all[name];
    if (end - start <= atOnce) {
      const bytes = await object.readBytes(start, end);
      if (bytes.length !== end - start)
        throw new S3Error("InternalError", "The file was cut short while it was read.");
      return reply(context, status, { ...all, ...headers }, bytes);
    }
    for (const [name, value] of Object.entries({ ...all, ...headers, "content-length": end - start }))
      response.setHeader(name, value);
    response.writeHead(status);
    await pipeline(object.readStream(start, end), response);
  } finally {
    await object.close();
  }
};
