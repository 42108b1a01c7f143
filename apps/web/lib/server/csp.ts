/**
 * The Content-Security-Policy of a page: scripts and styles of this origin with the page's nonce, and files from and
 * to the S3 endpoint.
 */
export function contentSecurityPolicy(nonce: string, s3Origin: string | undefined): string {
  const files = s3Origin ? ` ${s3Origin}` : "";
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'`,
    `style-src 'self' 'nonce-${nonce}'`,
    `img-src 'self' data: blob:${files}`,
    `media-src 'self' blob:${files}`,
    `connect-src 'self'${files}`,
    "font-src 'self'",
    "worker-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
