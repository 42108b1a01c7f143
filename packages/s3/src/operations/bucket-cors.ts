import { type Context, type Operation, reply, replyXml } from "../context.ts";
import { type CorsRule, corsMethods, corsRules } from "../cors.ts";
import { S3Error } from "../errors.ts";
import { document, element, parse, records, texts, type XmlRecord, type XmlValue } from "../xml.ts";
import { smallBody } from "./body.ts";

const mostRules = 100;
const elements = new Set([
  "#text",
  "ID",
  "AllowedOrigin",
  "AllowedMethod",
  "AllowedHeader",
  "ExposeHeader",
  "MaxAgeSeconds",
]);
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const stars = (value: string) => value.split("*").length - 1;

function one(value: XmlValue): string | undefined {
  const all = texts(value);
  if (all.length > 1) throw new S3Error("MalformedXML");
  return all[0];
}

function parseRule(rule: XmlRecord): CorsRule {
  if (Object.keys(rule).some((name) => !elements.has(name))) throw new S3Error("MalformedXML");
  const id = one(rule.ID);
  const origins = texts(rule.AllowedOrigin);
  const methods = texts(rule.AllowedMethod);
  const headers = texts(rule.AllowedHeader);
  const exposeHeaders = texts(rule.ExposeHeader);
  const age = one(rule.MaxAgeSeconds)?.trim();
  if (!origins.length || !methods.length || origins.includes("")) throw new S3Error("MalformedXML");
  if (id !== undefined && id.length > 255)
    throw new S3Error("InvalidRequest", "The ID of a CORS rule must not be longer than 255 characters.");
  if (age !== undefined && (!/^\d{1,10}$/.test(age) || Number(age) > 0x7fffffff))
    throw new S3Error("MalformedXML");
  for (const method of methods)
    if (!corsMethods.has(method))
      throw new S3Error(
        "InvalidRequest",
        `Found unsupported HTTP method in CORS config. Unsupported method is ${method}`,
      );
  for (const origin of origins)
    if (stars(origin) > 1)
      throw new S3Error("InvalidRequest", `AllowedOrigin "${origin}" can not have more than one wildcard.`);
  for (const name of headers) {
    if (stars(name) > 1)
      throw new S3Error("InvalidRequest", `AllowedHeader "${name}" can not have more than one wildcard.`);
    if (!token.test(name))
      throw new S3Error("InvalidRequest", `AllowedHeader "${name}" contains invalid character.`);
  }
  for (const name of exposeHeaders) {
    if (stars(name))
      throw new S3Error(
        "InvalidRequest",
        `ExposeHeader "${name}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
      );
    if (!token.test(name))
      throw new S3Error("InvalidRequest", `ExposeHeader "${name}" contains invalid character.`);
  }
  return {
    ...(id !== undefined && { id }),
    origins,
    methods,
    ...(headers.length && { headers }),
    ...(exposeHeaders.length && { exposeHeaders }),
    ...(age !== undefined && { maxAge: Number(age) }),
  };
}

/** Rules of a `CORSConfiguration` document. @throws S3Error MalformedXML, InvalidRequest */
export function parseCors(body: Buffer): CorsRule[] {
  const root = parse(body, "CORSConfiguration");
  if (Object.keys(root).some((name) => name !== "CORSRule" && name !== "#text"))
    throw new S3Error("MalformedXML");
  const rules = records(root.CORSRule);
  if (!rules.length) throw new S3Error("MalformedXML");
  if (rules.length > mostRules)
    throw new S3Error("InvalidRequest", `The number of CORS rules should not exceed ${mostRules}.`);
  return rules.map(parseRule);
}

export const corsXml = (rules: readonly CorsRule[]) => {
  const all = (name: string, values: readonly string[] = []) =>
    values.map((value) => element(name, value)).join("");
  return document(
    "CORSConfiguration",
    rules
      .map(
        (rule) =>
          `<CORSRule>${element("ID", rule.id)}${all("AllowedOrigin", rule.origins)}${all("AllowedMethod", rule.methods)}${all("AllowedHeader", rule.headers)}${all("ExposeHeader", rule.exposeHeaders)}${element("MaxAgeSeconds", rule.maxAge)}</CORSRule>`,
      )
      .join(""),
  );
};

async function configure({ bucket, service }: Context, cors: CorsRule[] | undefined): Promise<void> {
  await service.objects.buckets.change(bucket, (before) => ({ ...before, cors }));
}

export const getBucketCors: Operation = async (context) => {
  await context.service.objects.buckets.path(context.bucket);
  const rules = await corsRules(context);
  if (!rules.length) throw new S3Error("NoSuchCORSConfiguration", undefined, { BucketName: context.bucket });
  replyXml(context, corsXml(rules));
};

export const putBucketCors: Operation = async (context) => {
  await configure(context, parseCors(await smallBody(context)));
  reply(context, 200);
};

export const deleteBucketCors: Operation = async (context) => {
  await configure(context, undefined);
  reply(context, 204);
};
