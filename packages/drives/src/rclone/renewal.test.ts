import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OneDriveServer, startOneDrive } from "@overcoat/simulators";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { startTlsProxy, type TlsProxy } from "../../../simulators/src/drives/tls-proxy.ts";
import { oneDriveProvider } from "../oauth/providers.ts";
import { formatToken, parseToken } from "../oauth/token.ts";
import { ConfigFile } from "./config-file.ts";
import { findRemote } from "./remotes.ts";
import { openTokens } from "./tokens.ts";

let folder: string;
let file: ConfigFile;
let server: OneDriveServer;
let proxy: TlsProxy;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "overcoat-renewal-"));
  file = new ConfigFile(join(folder, "rclone.conf"));
  server = await startOneDrive();
  proxy = await startTlsProxy({
    "graph.microsoft.com": server.url,
    "login.microsoftonline.com": server.url,
  });
});
afterAll(async () => {
  await proxy?.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => vi.unstubAllEnvs());

/** A remote as `rclone config` makes it for who takes its defaults. */
async function signedIn(expires: number) {
  const { access_token: accessToken, refresh_token: refreshToken } = server.signIn();
  const section = server
    .rcloneSection("onedrive")
    .replace(/^(client_\w+|auth_url|token_url|tenant_\w+) = .*\n/gm, "");
  const token = formatToken({ accessToken, refreshToken, expires });
  await writeFile(file.path, section.replace(/^token = .*$/m, `token = ${token}`));
  const remote = (await findRemote(file, "onedrive", {}))!;
  return openTokens(remote, oneDriveProvider, { file, data: folder });
}

const kept = async () => parseToken((await findRemote(file, "onedrive", {}))?.options.token)!;

test("rclone renews what only its own client id can", async () => {
  for (const [name, value] of Object.entries({
    SSL_CERT_FILE: proxy.ca,
    HTTPS_PROXY: proxy.url,
    NO_PROXY: "",
  }))
    vi.stubEnv(name, value);
  const tokens = await signedIn(Date.now() + 3_600_000);
  const first = await tokens.get();
  const before = await kept();
  server.expireTokens();
  tokens.refused(first);
  const second = await tokens.get();
  expect(second).not.toBe(first);
  expect((await kept()).accessToken).toBe(second);
  expect((await kept()).refreshToken).not.toBe(before.refreshToken);
  expect((await readFile(file.path, "utf8")).match(/^token = /gm)).toHaveLength(1);

  server.revokeTokens();
  tokens.refused(second);
  await expect(tokens.get()).rejects.toThrow(
    /has ended \(rclone could not renew it\): run "overcoat login onedrive onedrive" \(with a client id of your own\) or "rclone config reconnect onedrive:"/,
  );
});

test("without rclone it says what to do", async () => {
  const tokens = await signedIn(1000);
  vi.stubEnv("PATH", folder);
  await expect(tokens.get()).rejects.toThrow(/install it, or sign in with a client id of your own/);
});
