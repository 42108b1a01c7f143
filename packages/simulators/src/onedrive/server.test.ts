import { createHash } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import type { OneDriveOptions } from "./options.ts";
import { type OneDriveServer, startOneDrive } from "./server.ts";
import { callsTo, officialClient } from "./test-client.ts";

const open: OneDriveServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function start(options: OneDriveOptions = {}) {
  const server = await startOneDrive(options);
  open.push(server);
  return { server, client: officialClient(server), call: callsTo(server) };
}

async function form(server: OneDriveServer, what: string, fields: Record<string, string>, tenant = "common") {
  const body = new URLSearchParams({ client_id: "the-client", ...fields });
  const response = await fetch(`${server.url}/${tenant}/oauth2/v2.0/${what}`, { method: "POST", body });
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  return { status: response.status, body: (await response.json()) as any };
}

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

test("signing in with a device code", async () => {
  const { server } = await start({ clientId: "the-client" });
  const { body } = await form(server, "devicecode", { scope: "Files.ReadWrite offline_access" });
  expect(body).toMatchObject({ expires_in: 900, interval: 5, user_code: expect.any(String) });
  const poll = (device_code = body.device_code) =>
    form(server, "token", { grant_type: deviceGrant, device_code });
  expect((await poll()).body.error).toBe("authorization_pending");
  expect((await poll("unknown")).body.error).toBe("bad_verification_code");
  expect(await (await fetch(body.verification_uri)).text()).toBe("You are signed in.\n");
  expect((await poll()).body).toMatchObject({ token_type: "Bearer", refresh_token: expect.any(String) });
  const { body: other } = await form(server, "devicecode", { scope: "Files.Read" });
  server.decide(other.user_code, "declined");
  expect((await poll(other.device_code)).body.error).toBe("authorization_declined");
  const { body: late } = await form(server, "devicecode", { scope: "Files.Read" });
  server.clock.advance(901_000);
  expect((await poll(late.device_code)).body.error).toBe("expired_token");
  expect((await form(server, "devicecode", { client_id: "other", scope: "x" })).body.error).toBe(
    "unauthorized_client",
  );
});

test("signing in with a browser and PKCE", async () => {
  const { server } = await start();
  const verifier = "a-verifier-that-is-long-enough-to-be-one";
  const redirect_uri = "http://localhost:53682/";
  const query = new URLSearchParams({
    client_id: "the-client",
    response_type: "code",
    redirect_uri,
    scope: "Files.ReadWrite offline_access",
    state: "s",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const authorize = async () => {
    const address = `${server.url}/common/oauth2/v2.0/authorize?${query}`;
    const { headers } = await fetch(address, { redirect: "manual" });
    const target = new URL(headers.get("location")!);
    expect(target.searchParams.get("state")).toBe("s");
    return target.searchParams.get("code")!;
  };
  const exchange = (code: string, code_verifier: string) =>
    form(server, "token", { grant_type: "authorization_code", code, redirect_uri, code_verifier });
  const code = await authorize();
  expect(await exchange(code, verifier)).toMatchObject({ status: 200 });
  expect((await exchange(code, verifier)).body.error).toBe("invalid_grant");
  expect((await exchange(await authorize(), "another")).body.error).toBe("invalid_grant");
});

test("tokens expire, rotate and are revoked", async () => {
  const { server } = await start({ tokenSeconds: 60, usedRefreshSeconds: 30, refreshSeconds: 1000 });
  const refresh = (refresh_token: string) =>
    form(server, "token", { grant_type: "refresh_token", refresh_token });
  const get = (token?: string) =>
    fetch(`${server.url}/v1.0/me/drive`, token ? { headers: { authorization: `Bearer ${token}` } } : {});
  const first = server.signIn();
  expect((await get()).status).toBe(401);
  expect((await get(first.access_token)).status).toBe(200);
  server.clock.advance(61_000);
  const expired = await get(first.access_token);
  expect(expired.status).toBe(401);
  expect(expired.headers.get("www-authenticate")).toContain("expired_token");
  const { body: second } = await refresh(first.refresh_token);
  expect(second.refresh_token).not.toBe(first.refresh_token);
  expect((await get(second.access_token)).status).toBe(200);
  // The old one may be used again for a while, as a crash may need.
  expect(await refresh(first.refresh_token)).toMatchObject({ status: 200 });
  server.clock.advance(31_000);
  expect((await refresh(first.refresh_token)).body).toMatchObject({
    error: "invalid_grant",
    error_codes: [700082],
  });
  server.revokeTokens();
  expect((await refresh(second.refresh_token)).body).toMatchObject({ error: "invalid_grant" });
  expect((await get(second.access_token)).status).toBe(401);
});

test("applications sign in for themselves, and scopes limit what may be done", async () => {
  const { server } = await start({ clientSecret: "the-secret" });
  const grant = { grant_type: "client_credentials", scope: "https://graph.microsoft.com/.default" };
  const secret = { ...grant, client_secret: "the-secret" };
  expect(await form(server, "token", grant, "a-tenant")).toMatchObject({
    status: 401,
    body: { error: "invalid_client" },
  });
  expect((await form(server, "token", secret)).body.error).toBe("invalid_request");
  const { body } = await form(server, "token", secret, "a-tenant");
  expect(body.refresh_token).toBeUndefined();
  const reader = officialClient(server, server.signIn("Files.Read").access_token);
  expect(await reader.api("/me/drive/root").get()).toMatchObject({ root: {} });
  await expect(reader.api("/me/drive/root/children").post({ name: "x", folder: {} })).rejects.toMatchObject({
    statusCode: 403,
    code: "accessDenied",
  });
});

test("batches: each request for itself", async () => {
  const { server, client, call } = await start({ files: { "a.txt": "a", "b.txt": "b" } });
  server.calls.reset();
  const requests = [
    { id: "1", method: "DELETE", url: "/me/drive/root:/a.txt" },
    { id: "2", method: "GET", url: "/me/drive/root:/none" },
    { id: "3", method: "DELETE", url: "/me/drive/root:/b.txt", dependsOn: ["2"] },
    { id: "4", method: "GET", url: "/me/drive/root:/b.txt:/content" },
    {
      id: "5",
      method: "POST",
      url: "/me/drive/root/children",
      body: { name: "f", folder: {} },
      headers: { "Content-Type": "application/json" },
    },
    {
      id: "6",
      method: "PUT",
      url: "/me/drive/root:/c.bin:/content",
      body: Buffer.from("bytes").toString("base64"),
      headers: { "Content-Type": "application/octet-stream" },
    },
  ];
  const { responses } = await client.api("/$batch").post({ requests });
  const statuses = Object.fromEntries(responses.map(({ id, status }: never) => [id, status]));
  expect(statuses).toEqual({ 1: 204, 2: 404, 3: 424, 4: 302, 5: 201, 6: 201 });
  expect(responses.map(({ id }: { id: string }) => id)).not.toEqual(requests.map(({ id }) => id));
  const { headers } = responses.find(({ id }: { id: string }) => id === "4");
  expect(
    (await call("GET", headers.location.replace("https://stand-in.sharepoint.com", server.storageUrl))).body,
  ).toBe("b");
  expect(server.calls.counts).toMatchObject({
    total: 2,
    calls: { "POST $batch": 1, "GET download": 1 },
    batched: { "DELETE item": 1, "GET item": 1, "GET content": 1, "POST children": 1, "PUT content": 1 },
  });
  const many = Array.from({ length: 21 }, (_, index) => ({
    id: String(index),
    method: "GET",
    url: "/me/drive",
  }));
  expect(await call("POST", "/$batch", { requests: many })).toMatchObject({ status: 400 });
  const twice = [requests[1], requests[1]];
  expect(await call("POST", "/$batch", { requests: twice })).toMatchObject({ status: 400 });
  server.fault({ on: "GET item", status: 429, headers: { "retry-after": "2.128" } });
  const { responses: faulty } = await client.api("/$batch").post({ requests: [requests[1]] });
  expect(faulty[0]).toMatchObject({ status: 429, headers: { "retry-after": "2.128" } });
});

test("budgets are kept: warnings, then 429 that counts, too", async () => {
  const { server, call } = await start({ throttle: { units: 10, windowSeconds: 10 } });
  const get = () => call("GET", "/me/drive/root");
  for (let count = 0; count < 7; count += 1) expect((await get()).headers.has("ratelimit-limit")).toBe(false);
  expect((await get()).headers.get("ratelimit-remaining")).toBe("2");
  await get();
  await get();
  const refused = await get();
  expect(refused).toMatchObject({ status: 429, body: { error: { code: "activityLimitReached" } } });
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  server.clock.advance(10_001);
  expect(await get()).toMatchObject({ status: 200 });
});

test("faults: statuses, delays, broken and short bodies", async () => {
  const { server, call } = await start({ files: { "x.bin": "0123456789" } });
  server.fault({ on: "GET item", status: 503, headers: { "retry-after": "1" }, after: 1, times: 2 });
  const get = () => call("GET", "/me/drive/root:/x.bin");
  const statuses = [];
  for (let count = 0; count < 4; count += 1) statuses.push((await get()).status);
  expect(statuses).toEqual([200, 503, 503, 200]);
  const address = (await get()).body["@microsoft.graph.downloadUrl"];
  const download = async () => {
    const response = await fetch(address);
    expect(response.headers.get("content-length")).toBe("10");
    let text = "";
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body!) text += decoder.decode(chunk);
    } catch {
      return `${text} broken`;
    }
    return text;
  };
  expect(await download()).toBe("0123456789");
  server.fault({ on: "GET download", truncateAt: 4 });
  expect(await download()).toBe("0123 broken");
  server.fault({ on: "GET download", resetResponseAt: 3 });
  expect(await download()).toMatch(/broken$/);
  server.fault({ on: "PUT content", resetRequestAt: 3 });
  await expect(call("PUT", "/me/drive/root:/y.bin:/content", "abcdef")).rejects.toThrow();
  expect(await call("GET", "/me/drive/root:/y.bin")).toMatchObject({ status: 404 });
  server.fault({ on: "PUT content", loseAnswer: true });
  await expect(call("PUT", "/me/drive/root:/y.bin:/content", "abcdef")).rejects.toThrow();
  expect(await call("GET", "/me/drive/root:/y.bin")).toMatchObject({ status: 200, body: { size: 6 } });
  expect(server.faults).toEqual([]);
});

test("latency and clock skew", async () => {
  const { server, call } = await start({
    latency: (endpoint) => (endpoint === "GET drive" ? 60 : 0),
    clockSkew: 3_600_000,
  });
  const start_ = performance.now();
  const { headers } = await call("GET", "/me/drive");
  expect(performance.now() - start_).toBeGreaterThanOrEqual(59);
  expect(Date.parse(headers.get("date")!) - Date.now()).toBeGreaterThan(3_500_000);
  expect(Date.parse((await call("GET", "/me/drive/root")).body.createdDateTime)).toBeGreaterThan(Date.now());
  expect(server.calls.entries.map(({ endpoint, status }) => [endpoint, status])).toEqual([
    ["GET drive", 200],
    ["GET item", 200],
  ]);
});

test("those who run it count calls and change files", async () => {
  const { server, call } = await start();
  const admin = (method: string, path: string, body?: string) =>
    fetch(`${server.url}/-/${path}`, { method, body });
  expect((await admin("PUT", "files/a/b%20c.txt", "by another")).status).toBe(204);
  expect(await call("GET", "/me/drive/root:/a/b c.txt")).toMatchObject({ body: { size: 10 } });
  expect(await (await admin("GET", "calls")).json()).toEqual({
    total: 1,
    calls: { "GET item": 1 },
    batched: {},
  });
  expect((await admin("DELETE", "calls")).status).toBe(204);
  expect(server.calls.counts.total).toBe(0);
  expect((await admin("DELETE", "files/a")).status).toBe(204);
  expect((await admin("DELETE", "files/a")).status).toBe(404);
  const fault = JSON.stringify({ on: "GET drive", status: 500 });
  expect((await admin("POST", "faults", fault)).status).toBe(204);
  expect(await call("GET", "/me/drive")).toMatchObject({
    status: 500,
    body: { error: { code: "generalException" } },
  });
});

test("odd items: special folders, notebooks and infected files", async () => {
  const { server, client, call } = await start({
    files: { "bad.exe": "virus" },
    hashes: ["sha1Hash", "sha256Hash"],
  });
  const approot = await client.api("/me/drive/special/approot").get();
  expect(approot).toMatchObject({ specialFolder: { name: "approot" }, folder: {} });
  await client.api("/me/drive/special/approot:/x.txt:/content").put("abc");
  const [file] = (await client.api("/me/drive/special/approot/children").get()).value;
  expect(file.file.hashes).toMatchObject({
    sha1Hash: createHash("sha1").update("abc").digest("hex").toUpperCase(),
  });
  expect(await call("GET", "/me/drive/special/none")).toMatchObject({ status: 404 });
  server.addNotebook("Notes");
  const notebook = await client.api("/me/drive/root:/Notes").get();
  expect(notebook.package).toEqual({ type: "oneNote" });
  expect("folder" in notebook || "file" in notebook).toBe(false);
  server.infect("bad.exe");
  const refused = await call("GET", "/me/drive/root:/bad.exe:/content");
  expect(refused).toMatchObject({ status: 403, body: { error: { code: "malwareDetected" } } });
  expect(refused.headers.get("x-virus-infected")).toBeTruthy();
});

test("what is no part of the API is refused", async () => {
  const { call, client } = await start({ simpleUploadLimit: 100 });
  expect(await call("GET", "/me/drive/root/nonsense")).toMatchObject({ status: 400 });
  expect(await call("POST", "/me/drive/root/delta")).toMatchObject({ status: 405 });
  expect(await call("GET", "/me/drive/root/children?$filter=x")).toMatchObject({ status: 400 });
  expect(await call("GET", "/me/drive/root:/%zz")).toMatchObject({ status: 400 });
  expect(await call("GET", "/me/drive/root:/a//b")).toMatchObject({ status: 400 });
  expect(
    await call("POST", "/me/drive/root/children", "no json", { "content-type": "application/json" }),
  ).toMatchObject({ status: 400, body: { error: { code: "BadRequest" } } });
  expect(await call("PUT", "/me/drive/root:/large:/content", "x".repeat(100))).toMatchObject({ status: 413 });
  const expanded = await client.api("/me/drive/root").expand("children").get();
  expect(expanded.children).toEqual([]);
});
