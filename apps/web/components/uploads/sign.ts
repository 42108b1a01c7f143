import type { SignedRequest, UploadRequest } from "@/lib/server/storage/upload";

/** A request of an upload that was refused; `code` is S3's. */
export class SigningError extends Error {
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** Asks the console's server for a presigned URL. @throws SigningError */
export async function sign(request: UploadRequest): Promise<SignedRequest> {
  const response = await fetch("/api/storage/sign", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(60_000),
  });
  if (response.ok) return response.json();
  if (response.status === 401) throw new SigningError("The session is over: sign in again.");
  const { error } = await response.json();
  throw new SigningError(error, response.status === 412 ? "PreconditionFailed" : undefined);
}
