export { type BucketInfo, validBucketName } from "./buckets.ts";
export type { BucketConfiguration } from "./configurations.ts";
export { asObjectsError, isOutdated } from "./drive-errors.ts";
export { ObjectsError, type ObjectsErrorCode } from "./errors.ts";
export { compareKeys } from "./keys.ts";
export type { ListPage, ListRequest } from "./listing.ts";
export {
  type Checksum,
  type ChecksumAlgorithm,
  type Conditions,
  checksumAlgorithms,
  noMetadata,
  type ObjectInfo,
  type ObjectMetadata,
  type ObjectPart,
  type SystemHeader,
  systemHeaders,
} from "./metadata.ts";
export {
  type CopyOptions,
  Objects,
  type ObjectsOptions,
  openObjects,
  type PutOptions,
  type RenameOptions,
  type VersionedObject,
  type VersionsPage,
} from "./objects.ts";
export { OpenObject } from "./open-object.ts";
export { type ByteSource, type Payload, payloadOf } from "./payload.ts";
export type { CompletedPart, PartInfo, Upload } from "./uploads.ts";
