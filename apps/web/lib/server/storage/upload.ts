import { z } from "zod";
import { describeObject } from "./object.ts";
import { uploadingUrl } from "./urls.ts";

/** One request of an upload, in S3's words. Nothing else is signed for browsers. */
export const uploadRequest = z
  .strictObject({
    method: z.enum(["PUT", "POST", "GET", "DELETE"]),
    bucket: z.string().min(1),
    key: z.string().min(1),
    uploadId: z.string().min(1).optional(),
    partNumber: z.int().min(1).max(10_000).optional(),
    /** Whether an object of this name may be replaced. */
    replace: z.boolean(),
  })
  .refine(({ method, uploadId, partNumber }) => {
    const isPart = partNumber !== undefined;
    return uploadId === undefined
      ? (method === "PUT" || method === "POST") && !isPart
      : (method === "PUT") === isPart;
  }, "no request of an upload");

export type UploadRequest = z.infer<typeof uploadRequest>;

export interface SignedRequest {
  readonly url: string;
  /** To be sent with it. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Signs PutObject, CreateMultipartUpload, UploadPart, ListParts, CompleteMultipartUpload and AbortMultipartUpload.
 * @returns undefined where there is an object of this name that must not be replaced
 */
export async function signUpload(request: UploadRequest): Promise<SignedRequest | undefined> {
  const { method, bucket, key, uploadId, partNumber, replace } = request;
  const isCreation = method === "POST" && !uploadId;
  // S3 would tell only when all parts are there.
  if (isCreation && !replace && (await describeObject(bucket, key))) return undefined;
  const url = await uploadingUrl({ bucket, key }, method, {
    ...(isCreation && { uploads: "" }),
    ...(uploadId && { uploadId }),
    ...(partNumber && { partNumber: String(partNumber) }),
  });
  const makesObject = method === "PUT" ? !uploadId : method === "POST" && !isCreation;
  return makesObject && !replace ? { url, headers: { "if-none-match": "*" } } : { url };
}
