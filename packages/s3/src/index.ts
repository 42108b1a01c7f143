export type { Credential } from "./auth/credentials.ts";
export { S3Error, type S3ErrorCode } from "./errors.ts";
export { Forwarded } from "./forwarded.ts";
export { createS3Server, S3Server, type S3ServerOptions } from "./server.ts";
