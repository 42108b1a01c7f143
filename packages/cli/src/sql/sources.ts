import { auth0, redis, type Source, s3 } from "@overcoat/sources";

/** The services that SQL reaches. */
export const sources: readonly Source[] = [redis, auth0, s3];
