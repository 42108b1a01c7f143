import type { Context } from "./context.ts";
import { header } from "./context.ts";
import { S3Error } from "./errors.ts";
import { copySource } from "./operations/write-object.ts";
import type { Route } from "./router.ts";

export interface Rights {
  /** Nobody has a key: everybody may do everything (loopback only, by the command's rule). */
  readonly open: boolean;
  /** Buckets that anybody may read. */
  readonly anonymousRead: ReadonlySet<string>;
  readonly readOnly: boolean;
}

/** Whether the sender may do this. @throws S3Error AccessDenied */
export function authorize(context: Context, route: Route, rights: Rights): void {
  const { bucket, credential } = context;
  if (route.writes && rights.readOnly) throw new S3Error("AccessDenied", "This server is read-only.");
  if (rights.open) return;
  if (!credential) {
    if (bucket && !route.writes && rights.anonymousRead.has(bucket)) return;
    throw new S3Error("AccessDenied");
  }
  if (!credential.buckets || !bucket) return;
  const right = credential.buckets[bucket];
  if (!right || (route.writes && right !== "read-write")) throw new S3Error("AccessDenied");
  if (header(context, "x-amz-copy-source") !== undefined && !credential.buckets[copySource(context).bucket])
    throw new S3Error("AccessDenied");
}
