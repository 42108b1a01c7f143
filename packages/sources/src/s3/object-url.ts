import type { Settings } from "./options.ts";

/** The address of an object, as S3's clients would write it. */
export function objectUrl(settings: Settings, bucket: string): (key: string) => string {
  const { endpoint, pathStyle } = settings;
  // A bucket with dots fits no certificate of *.s3.amazonaws.com.
  const inHost = !pathStyle && !(endpoint.protocol === "https:" && bucket.includes("."));
  const path = endpoint.pathname.replace(/\/$/, "");
  const base = inHost
    ? `${endpoint.protocol}//${bucket}.${endpoint.host}${path}/`
    : `${endpoint.protocol}//${endpoint.host}${path}/${bucket}/`;
  return (key) => base + encodeKey(key);
}

/** Percent-encoding of Signature Version 4: all but unreserved characters and the slash. */
export const encodeKey = (key: string) =>
  /^[\w.~/-]*$/.test(key)
    ? key
    : encodeURIComponent(key)
        .replaceAll("%2F", "/")
        .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
