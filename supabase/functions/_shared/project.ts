import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { createWrappers, type Wrappers } from "@/integrations/wrappers";

/** The value of a variable. @throws Error that tells how to set it */
export function needed(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw new Error(`${name} is not set: supabase secrets set ${name}=…`);
  return value;
}

/** A client of this project that may call what only the service role may. */
export function serviceClient(): SupabaseClient {
  return createClient(needed("SUPABASE_URL"), needed("SUPABASE_SERVICE_ROLE_KEY"), {
    auth: { persistSession: false, autoRefreshToken: false },
  });
}

/** The helpers, through the functions of `public`, and the bucket that `s3_files` shows. */
export function projectWrappers(client: SupabaseClient): Wrappers {
  return createWrappers({
    database: client,
    storage: {
      endpoint: needed("S3_ENDPOINT"),
      bucket: needed("S3_BUCKET"),
      accessKeyId: needed("S3_ACCESS_KEY_ID"),
      secretAccessKey: needed("S3_SECRET_ACCESS_KEY"),
      region: Deno.env.get("S3_REGION") || "us-east-1",
    },
  });
}
