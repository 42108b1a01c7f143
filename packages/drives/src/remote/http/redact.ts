/** A text of the service as it may be shown: addresses, which may be secrets in themselves, are cut to their host. */
export function redact(text: string): string {
  return text
    .replace(/(\bhttps?:\/\/[^\s/?#"'<>]+)[^\s"'<>]*/gi, "$1/…")
    .replace(/\bBearer\s+[^\s"'<>]+/gi, "Bearer …");
}
