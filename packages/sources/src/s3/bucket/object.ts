import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { decodeUserMetadata } from "./user-metadata.ts";

/** An object as a listing tells of it. */
export interface Listed {
  readonly key: string;
  readonly size: number;
  /** Without its quotes. */
  readonly etag: string;
  /** Milliseconds since 1970, but of whole seconds: HEAD tells no more. */
  readonly modified: number;
  readonly storageClass: string;
}

/** What only HEAD and GET tell. */
export interface Headers {
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly contentLanguage: string | undefined;
  readonly contentDisposition: string | undefined;
  readonly cacheControl: string | undefined;
  /** The header's text. */
  readonly expires: string | undefined;
  readonly userMetadata: Readonly<Record<string, string>>;
  /** The id of the version, in a bucket that has versions. */
  readonly version: string | undefined;
}

export interface HeadObject extends Listed {
  readonly headers: Headers;
}

/** What HEAD answers. */
export const headObject = (key: string, output: HeadObjectCommandOutput): HeadObject => ({
  key,
  size: output.ContentLength ?? 0,
  etag: unquoted(output.ETag ?? ""),
  modified: wholeSeconds(output.LastModified?.getTime() ?? 0),
  storageClass: output.StorageClass ?? "STANDARD",
  headers: {
    contentType: output.ContentType,
    contentEncoding: output.ContentEncoding,
    contentLanguage: output.ContentLanguage,
    contentDisposition: output.ContentDisposition,
    cacheControl: output.CacheControl,
    expires: output.ExpiresString,
    userMetadata: decodeUserMetadata(output.Metadata ?? {}),
    version: output.VersionId,
  },
});

export const unquoted = (etag: string) => etag.replace(/^"(.*)"$/, "$1");

/** Milliseconds without what is less than a second. */
export const wholeSeconds = (milliseconds: number) => Math.floor(milliseconds / 1000) * 1000;
