/**
 * Where providers send the browser back to. The cookies of the console do not come along from another site, so this
 * only goes on to a page of its own, with which they do.
 */
export function GET(request: Request): Response {
  const answer = new URLSearchParams(new URL(request.url).search);
  const next = `/remotes/finish?${answer}`.replaceAll("&", "&amp;");
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="0; url=${next}">
<link rel="icon" href="data:,">
<title>Signing in</title>
<p><a href="${next}">Go on to the console</a></p>
</html>
`;
  return new Response(html, {
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  });
}
