/** Algorithms of `x-amz-checksum-*`, in S3's spelling. */
export const checksumAlgorithms = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

/** A stored checksum. `value` is base64, with `-N` behind it for a composite one of N parts. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: "FULL_OBJECT" | "COMPOSITE";
  readonly value: string;
}

/** The headers that S3 stores with an object and gives back, by their lower-case names. */
export const systemHeaders = [
  "content-type",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
  "x-amz-website-redirect-location",
] as const;
export type SystemHeader = (typeof systemHeaders)[number];

/** What a client says about an object when it writes it. */
export interface ObjectMetadata {
  readonly headers: Partial<Record<SystemHeader, string>>;
  /** Names without `x-amz-meta-`, in lower case. */
  readonly user: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

export const noMetadata: ObjectMetadata = { headers: {}, user: {}, tags: {} };

/** One part of an object that was uploaded in parts, in order. */
export interface ObjectPart {
  readonly size: number;
  /** Base64 checksum in the object's algorithm, where the parts had one. */
  readonly checksum?: string;
}

/** Everything known of a stored object. */
export interface ObjectInfo {
  readonly key: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** Without the quotes. */
  readonly etag: string;
  readonly metadata: ObjectMetadata;
  readonly checksum?: Checksum;
  readonly parts?: readonly ObjectPart[];
}

/** Conditions on the object that is there now (RFC 9110 section 13.1); ETags without quotes, `*` allowed. */
export interface Conditions {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  /** Milliseconds since 1970. */
  readonly ifModifiedSince?: number;
  readonly ifUnmodifiedSince?: number;
}
