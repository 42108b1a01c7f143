import { S3Error } from "../errors.ts";

export type MalformedCode = "AuthorizationHeaderMalformed" | "AuthorizationQueryParametersError";

/** The parts of `X-Amz-Credential`. */
export interface CredentialScope {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  /** `date/region/s3/aws4_request`. */
  readonly scope: string;
}

/** What an Authorization header says beside the signature: the same in all of a client's like requests. */
export interface Claimed {
  readonly scope: CredentialScope;
  readonly signedHeaders: string;
  /** The same taken apart. */
  readonly signed: readonly string[];
}

export const algorithm = "AWS4-HMAC-SHA256";
const code = "AuthorizationHeaderMalformed";

/**
 * Takes a `Credential` value apart. An access key may have slashes in it, the scope behind it may not.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function parseCredential(value: string, code: MalformedCode): CredentialScope {
  const parts = value.split("/");
  const count = parts.length;
  if (count < 5) {
    throw new S3Error(
      code,
      'The Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    );
  }
  const date = parts[count - 4]!;
  const region = parts[count - 3]!;
  if (!/^\d{8}$/.test(date)) {
    throw new S3Error(code, `The Credential is mal-formed; incorrect date format "${date}".`);
  }
  if (parts[count - 2] !== "s3") {
    throw new S3Error(
      code,
      `The Credential is mal-formed; incorrect service "${parts[count - 2]}". This endpoint belongs to "s3".`,
    );
  }
  if (parts[count - 1] !== "aws4_request") {
    throw new S3Error(
      code,
      `The Credential is mal-formed; incorrect terminal "${parts[count - 1]}". This endpoint uses "aws4_request".`,
    );
  }
  return {
    accessKeyId: count === 5 ? parts[0]! : parts.slice(0, count - 4).join("/"),
    date,
    region,
    scope: `${date}/${region}/s3/aws4_request`,
  };
}

const kept = new Map<string, Claimed>();
const mostKept = 1000;
/** Nobody has verified what a client writes there yet. */
const longestKept = 1024;
const signatureLast = "Signature=";

/** The fields of an Authorization header. @throws S3Error AuthorizationHeaderMalformed */
export function parseAuthorization(header: string): { claimed: Claimed; signature: string } {
  const at = header.lastIndexOf(signatureLast) + signatureLast.length;
  const front = header.slice(0, at);
  const rest = header.slice(at).trim();
  const known = kept.get(front);
  if (known && rest !== "" && !rest.includes(",")) return { claimed: known, signature: rest };
  const parsed = parseFields(header);
  if (parsed.signature === rest && front.length <= longestKept) {
    if (kept.size >= mostKept) kept.delete(kept.keys().next().value as string);
    kept.set(front, parsed.claimed);
  }
  return parsed;
}

function parseFields(header: string): { claimed: Claimed; signature: string } {
  const fields = new Map<string, string>();
  for (const piece of header.slice(algorithm.length).split(",")) {
    const equals = piece.indexOf("=");
    const name = piece.slice(0, Math.max(equals, 0)).trim();
    if (equals < 0 || fields.has(name)) {
      throw new S3Error(code, "The authorization header is malformed; it must be a list of name=value.");
    }
    fields.set(name, piece.slice(equals + 1).trim());
  }
  const scope = parseCredential(field(fields, "Credential"), code);
  const signedHeaders = field(fields, "SignedHeaders");
  const claimed = { scope, signedHeaders, signed: signedHeaders.split(";") };
  return { claimed, signature: field(fields, "Signature") };
}

function field(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name);
  if (value === undefined || value === "") {
    throw new S3Error(code, `The authorization header is malformed; missing ${name}.`);
  }
  return value;
}
