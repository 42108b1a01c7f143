import { createHash } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import type { DropboxOptions } from "./options.ts";
import { type DropboxServer, startDropbox } from "./server.ts";
import { callsTo, officialClient } from "./test-client.ts";

const open: DropboxServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function start(options: DropboxOptions = {}) {
  const server = await startDropbox(options);
  open.push(server);
  return { server, ...callsTo(server) };
}

const form = async (server: DropboxServer, fields: Record<string, string>) => {
  const body = new URLSearchParams({ client_id: "the-client", ...fields });
  const response = await fetch(`${server.url}/oauth2/token`, { method: "POST", body });
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  return { status: response.status, body: (await response.json()) as any };
};

test("downloads: ranges, revisions, and what is known already", async () => {
  const { server, content } = await start({ files: { "é.bin": "0123456789" } });
  const get = (headers = {}, path = "/é.bin") =>
    content("files/download", {}, "", {
      "dropbox-api-arg": JSON.stringify({ path }).replace("é", "\\u00e9"),
      ...headers,
    });
  const whole = await get();
  expect(whole).toMatchObject({ status: 200, body: "0123456789" });
  const result = JSON.parse(whole.headers.get("dropbox-api-result")!);
  expect(result).toMatchObject({ name: "é.bin", size: 10 });
  expect(whole.headers.get("original-content-length")).toBe("10");
  const part = await get({ range: "bytes=2-4" });
  expect(part).toMatchObject({ status: 206, body: "234" });
  expect(part.headers.get("content-range")).toBe("bytes 2-4/10");
  expect(part.headers.get("original-content-length")).toBe("10");
  expect(await get({ range: "bytes=-3" })).toMatchObject({ status: 206, body: "789" });
  expect(await get({ range: "bytes=10-" })).toMatchObject({ status: 416 });
  expect(await get({ "if-none-match": whole.headers.get("etag")! })).toMatchObject({ status: 304 });
  await server.put("é.bin", "other");
  expect(await get({ "if-none-match": whole.headers.get("etag")! })).toMatchObject({ status: 200 });
  expect(await get({}, `rev:${result.rev}`)).toMatchObject({ body: "0123456789" });
  // The argument may stand in the address, and the call may be a GET.
  const { access_token } = server.signIn();
  const arg = encodeURIComponent(JSON.stringify({ path: "/é.bin" }));
  const headers = { authorization: `Bearer ${access_token}` };
  const got = await fetch(`${server.contentUrl}/2/files/download?arg=${arg}`, { headers });
  expect(await got.text()).toBe("other");
});

test("temporary links take no token, live for hours, and stay with a revision that was asked for", async () => {
  const { server, rpc } = await start({ files: { a: "0123456789" } });
  const link = async (path: string) => (await rpc("files/get_temporary_link", { path })).body;
  const { link: current, metadata } = await link("/a");
  const { link: pinned } = await link(`rev:${metadata.rev}`);
  expect(current.startsWith(server.linkUrl)).toBe(true);
  const get = async (url: string, headers = {}) => {
    const response = await fetch(url, { headers });
    return [response.status, await response.text()];
  };
  expect(await get(current, { range: "bytes=7-" })).toEqual([206, "789"]);
  expect((await get(current, { authorization: "Bearer x" }))[0]).toBe(400);
  await server.put("a", "other");
  expect(await get(current)).toEqual([200, "other"]);
  expect(await get(pinned)).toEqual([200, "0123456789"]);
  server.clock.advance(4 * 3_600_000);
  expect((await get(pinned))[0]).toBe(410);
  expect((await get(`${server.linkUrl}/cd/0/get/none/file`))[0]).toBe(404);
});

test("what breaks the rules of the protocol is refused with plain text", async () => {
  const { server, rpc, content } = await start({ files: { a: "a" } });
  const refused = (message: string | RegExp) => ({ status: 400, body: expect.stringMatching(message) });
  const arg = { path: "/a" };
  expect(await rpc("files/nonsense", {})).toMatchObject(refused('Unknown API function: "files/nonsense"'));
  expect(await rpc("files/download", arg)).toMatchObject(refused("not on this host"));
  expect(await content("files/get_metadata", arg)).toMatchObject(refused("not on this host"));
  expect(await rpc("files/get_metadata", { ...arg, more: 1 })).toMatchObject(refused("more"));
  expect(await rpc("files/get_metadata", { path: "a" })).toMatchObject(refused("path: did not match"));
  expect(await rpc("files/get_metadata", arg, { "content-type": "text/plain" })).toMatchObject(
    refused("Content-Type"),
  );
  expect(await rpc("files/list_folder", { path: "/" })).toMatchObject(refused("empty string"));
  expect(await rpc("files/list_folder", { path: "", limit: 2001 })).toMatchObject(refused("limit"));
  expect(await rpc("users/get_current_account", {})).toMatchObject(refused("expected null"));
  expect(await rpc("users/get_current_account", null)).toMatchObject({ status: 200 });
  expect(await content("files/download", arg, "", { "dropbox-api-arg": '{"path":"/é"}' })).toMatchObject(
    refused("could not decode"),
  );
  expect(await content("files/upload", arg, "x", { "content-type": "text/plain" })).toMatchObject(
    refused("Content-Type"),
  );
  expect(
    await content("files/upload", { ...arg, client_modified: "2020-01-02T03:04:05.678Z" }, "x"),
  ).toMatchObject(refused("client_modified"));
  expect(await rpc("files/list_folder", { path: "" }, { "dropbox-api-select-user": "x" })).toMatchObject(
    refused("Select-User"),
  );
  const { body } = await rpc("files/list_folder", { path: "" });
  const longpoll = (headers: Record<string, string>) =>
    fetch(`${server.notifyUrl}/2/files/list_folder/longpoll`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ cursor: body.cursor, timeout: 29 }),
    });
  expect(await (await longpoll({ authorization: "Bearer x" })).text()).toContain('takes no "Authorization"');
  expect(await (await longpoll({})).text()).toContain("timeout");
  const got = await fetch(`${server.url}/2/files/get_metadata`, { headers: { authorization: "Bearer x" } });
  expect(got.status).toBe(400);
});

test("names that are refused", async () => {
  const { content } = await start();
  const upload = async (path: string) => {
    const header = JSON.stringify({ path }).replace(
      /[\u007f-\uffff]/g,
      (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    const { status, body } = await content("files/upload", {}, "x", { "dropbox-api-arg": header });
    return status === 200 ? "saved" : body.error.reason[".tag"];
  };
  for (const bad of ["/a\\b", "/a\u0000", "/a\u007f", "/a ", "/.", "/a/../b", `/${"x".repeat(256)}`])
    expect(await upload(bad), bad).toBe("malformed_path");
  for (const bad of ["/desktop.ini", "/a/Thumbs.db", "/.DS_Store", "/icon\r", "/.dropbox"])
    expect(await upload(bad), bad).toBe("disallowed_name");
  for (const good of [
    '/a:b?*|<>"',
    "/ a",
    "/a.",
    "/a\tb",
    "/é",
    "/\u{1F9E5}",
    `/${"x".repeat(255)}`,
    "//b//c",
  ])
    expect(await upload(good), good).toBe("saved");
  // The decomposed form is the same name.
  expect(await upload("/e\u0301")).toBe("saved");
  const strict = { path: "/e\\u0301", strict_conflict: true };
  const again = await content("files/upload", {}, "y", {
    "dropbox-api-arg": JSON.stringify(strict).replace("\\\\", "\\"),
  });
  expect(again).toMatchObject({ status: 409 });
});

test("tokens expire, are refreshed without change, and revoked", async () => {
  const { server } = await start({ clientId: "the-client", clientSecret: "the-secret" });
  const get = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${server.url}/2/users/get_current_account`, { method: "POST", headers });
    // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
    return response.status === 200 ? "good" : ((await response.json()) as any).error[".tag"];
  };
  const { access_token, refresh_token } = server.signIn();
  expect(await get(access_token)).toBe("good");
  server.clock.advance(14_400_000);
  expect(await get(access_token)).toBe("expired_access_token");
  const refresh = (more = {}) => form(server, { grant_type: "refresh_token", refresh_token, ...more });
  const { body } = await refresh({ client_secret: "the-secret" });
  expect(body).toMatchObject({ token_type: "bearer", expires_in: 14_400 });
  expect(body.refresh_token).toBeUndefined();
  expect(await get(body.access_token)).toBe("good");
  expect(await refresh({ client_secret: "wrong" })).toMatchObject({ status: 401 });
  expect((await refresh({ client_id: "other" })).body.error).toBe("invalid_client");
  expect((await refresh({ scope: "sharing.write" })).body.error).toBe("invalid_scope");
  // Dropbox's own client sends what it has in the address.
  const own = officialClient(server, {
    refreshToken: refresh_token,
    clientId: "the-client",
    clientSecret: "the-secret",
  });
  expect((await own.usersGetCurrentAccount()).result.root_info).toMatchObject({ ".tag": "user" });
  await own.authTokenRevoke();
  expect(await get(body.access_token)).toBe("invalid_access_token");
  expect(await refresh()).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
  const reader = officialClient(server, { accessToken: server.signIn("files.metadata.read").access_token });
  await expect(reader.filesCreateFolderV2({ path: "/x" })).rejects.toMatchObject({
    status: 401,
    error: { error: { ".tag": "missing_scope", required_scope: "files.content.write" } },
  });
});

test("signing in with a browser and PKCE, or with a code copied by hand", async () => {
  const { server } = await start({ clientId: "the-client" });
  const verifier = "a-verifier-that-is-long-enough-to-be-one";
  const authorize = (more: Record<string, string>) => {
    const query = new URLSearchParams({
      client_id: "the-client",
      response_type: "code",
      token_access_type: "offline",
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      ...more,
    });
    return fetch(`${server.url}/oauth2/authorize?${query}`, { redirect: "manual" });
  };
  const redirect_uri = "http://localhost:53682/";
  const target = new URL((await authorize({ redirect_uri, state: "s" })).headers.get("location")!);
  expect(target.searchParams.get("state")).toBe("s");
  const exchange = (code: string, more = {}) =>
    form(server, { grant_type: "authorization_code", code, code_verifier: verifier, ...more });
  const code = target.searchParams.get("code")!;
  expect((await exchange(code, { redirect_uri })).body).toMatchObject({ refresh_token: expect.any(String) });
  expect((await exchange(code, { redirect_uri })).body.error).toBe("invalid_grant");
  const byHand = async () => /code: (.+)/.exec(await (await authorize({})).text())![1]!;
  expect(await exchange(await byHand())).toMatchObject({ status: 200 });
  expect((await exchange(await byHand(), { code_verifier: "another" })).body.error).toBe("invalid_grant");
  expect((await authorize({ redirect_uri: "https://elsewhere.example/" })).status).toBe(400);
});

test("quota, faults and latency", async () => {
  const { server, rpc, content } = await start({
    quota: 10,
    clockSkew: 3_600_000,
    latency: (endpoint) => (endpoint === "files/get_metadata" ? 60 : 0),
  });
  const upload = (path: string, body: string) => content("files/upload", { path, mode: "overwrite" }, body);
  expect(await upload("/a", "0123456789")).toMatchObject({ status: 200 });
  expect((await upload("/b", "x")).body.error.reason).toEqual({ ".tag": "insufficient_space" });
  expect(await upload("/a", "9876543210")).toMatchObject({ status: 200 });
  server.fault({ on: "files/upload", status: 429, headers: { "retry-after": "7" } });
  const throttled = await upload("/a", "x");
  expect(throttled).toMatchObject({
    status: 429,
    body: { error: { reason: { ".tag": "too_many_requests" } } },
  });
  expect(throttled.headers.get("retry-after")).toBe("7");
  server.fault({ on: "files/upload", loseAnswer: true });
  await expect(upload("/a", "lost")).rejects.toThrow();
  const started = performance.now();
  const { body, headers } = await rpc("files/get_metadata", { path: "/a" });
  expect(performance.now() - started).toBeGreaterThanOrEqual(59);
  expect(body.size).toBe(4);
  expect(Date.parse(headers.get("date")!) - Date.now()).toBeGreaterThan(3_500_000);
  expect(Date.parse(body.server_modified)).toBeGreaterThan(Date.now());
  server.fault({ on: "files/upload", resetRequestAt: 3 });
  await expect(upload("/a", "never")).rejects.toThrow();
  server.fault({ status: 401 });
  expect((await rpc("files/get_metadata", { path: "/a" })).body.error[".tag"]).toBe("expired_access_token");
  server.fault({ status: 503 });
  expect(await rpc("files/get_metadata", { path: "/a" })).toMatchObject({ status: 503 });
  expect((await rpc("files/get_metadata", { path: "/a" })).body.size).toBe(4);
});

test("those who run it count calls and change files", async () => {
  const { server, rpc } = await start({ team: true });
  const admin = (method: string, path: string, body?: string) =>
    fetch(`${server.url}/-/${path}`, { method, body });
  expect((await admin("PUT", "files/a/b%20c.txt", "by another")).status).toBe(204);
  expect((await rpc("files/get_metadata", { path: "/a/b c.txt" })).body.size).toBe(10);
  expect(await (await admin("GET", "calls")).json()).toEqual({
    total: 1,
    calls: { "files/get_metadata": 1 },
    batched: {},
  });
  expect((await admin("DELETE", "calls")).status).toBe(204);
  expect((await admin("DELETE", "files/a")).status).toBe(204);
  expect((await admin("DELETE", "files/a")).status).toBe(404);
  const section = server.rcloneSection("mine");
  expect(section).toContain(`[mine]\ntype = dropbox\n`);
  expect(section).toContain(
    `\napi_url = ${server.url}\ncontent_url = ${server.contentUrl}\nnotify_url = ${server.notifyUrl}\n`,
  );
});
