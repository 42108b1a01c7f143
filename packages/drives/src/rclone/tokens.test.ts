import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OneDriveOptions, type OneDriveServer, startOneDrive } from "@overcoat/simulators";
import { afterEach, beforeEach, expect, test } from "vitest";
import { oneDriveProvider } from "../oauth/providers.ts";
import { formatToken, parseToken } from "../oauth/token.ts";
import type { AccessTokens } from "../remote/tokens.ts";
import { ConfigFile } from "./config-file.ts";
import { findRemote, type Remote } from "./remotes.ts";
import { openTokens } from "./tokens.ts";

let folder: string;
let file: ConfigFile;
let server: OneDriveServer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "overcoat-tokens-"));
  file = new ConfigFile(join(folder, "rclone.conf"));
});
afterEach(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(options: OneDriveOptions = {}): Promise<void> {
  server = await startOneDrive({ clientId: "mine", clientSecret: "secret", ...options });
  await writeFile(
    file.path,
    `# kept\n[other]\ntype = alias\n\n${server.rcloneSection("onedrive")}\n# end\n`,
    {
      mode: 0o640,
    },
  );
}

const remote = async (env = {}) => (await findRemote(file, "onedrive", env)) as Remote;
const open = async (given?: Remote): Promise<AccessTokens> =>
  openTokens(given ?? (await remote()), oneDriveProvider, { file, data: folder });
const kept = async () => parseToken((await remote()).options.token)!;
const renewals = () => server.calls.counts.calls["POST token"] ?? 0;
const works = async (token: string) => {
  const reply = await fetch(`${server.url}/v1.0/me/drive`, { headers: { authorization: `Bearer ${token}` } });
  await reply.arrayBuffer();
  return reply.status === 200;
};

async function endToken(): Promise<void> {
  const { accessToken, refreshToken } = await kept();
  server.expireTokens();
  await file.updateValue("onedrive", "token", async () =>
    formatToken({ accessToken, refreshToken, expires: Date.now() - 1000 }),
  );
}

test("a token that serves is used as it is", async () => {
  await start();
  const before = await readFile(file.path, "utf8");
  const tokens = await open();
  expect(await tokens.get()).toBe((await kept()).accessToken);
  expect(renewals()).toBe(0);
  expect(await readFile(file.path, "utf8")).toBe(before);
});

test("one renewal serves all who wait, and changes the token in the file only", async () => {
  await start();
  await endToken();
  const before = await readFile(file.path, "utf8");
  const old = await kept();
  const all = [await open(), await open()];
  const got = await Promise.all(Array.from({ length: 50 }, (_, i) => all[i % 2]!.get()));
  expect(new Set(got).size).toBe(1);
  expect(renewals()).toBe(1);
  const now = await kept();
  expect(now.accessToken).toBe(got[0]);
  expect(now.refreshToken).not.toBe(old.refreshToken);
  expect(now.expires).toBeGreaterThan(Date.now() + 3_000_000);
  expect(await readFile(file.path, "utf8")).toBe(
    before.replace(/^token = .*$/m, `token = ${formatToken(now)}`),
  );
  expect((await stat(file.path)).mode & 0o777).toBe(0o640);
  expect(await works(got[0]!)).toBe(true);
});

test("processes share one renewal", async () => {
  await start({ latency: 50 });
  await endToken();
  const program = `
    import { ConfigFile } from ${url("./config-file.ts")};
    import { findRemote } from ${url("./remotes.ts")};
    import { openTokens } from ${url("./tokens.ts")};
    import { oneDriveProvider } from ${url("../oauth/providers.ts")};
    const file = new ConfigFile(process.argv[1]);
    const tokens = await openTokens(await findRemote(file, "onedrive"), oneDriveProvider, { file, data: process.argv[2] });
    console.log(await tokens.get());`;
  const run = async () => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program, file.path, folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
    });
    expect((await once(child, "close"))[0]).toBe(0);
    return text.trim();
  };
  const got = await Promise.all([run(), run(), run(), run()]);
  expect(new Set(got)).toEqual(new Set([(await kept()).accessToken]));
  expect(renewals()).toBe(1);
});

test("a token that another program renewed is taken up", async () => {
  await start({ usedRefreshSeconds: 0 });
  const tokens = await open();
  const first = await tokens.get();
  // As rclone does, with no lock.
  const other = server.signIn();
  await writeFile(file.path, server.rcloneSection("onedrive").replace(/^token = .*$/m, tokenLine(other)));
  server.expireTokens();
  tokens.refused(first);
  expect(await tokens.get()).toBe(other.access_token);
  expect(renewals()).toBe(0);
});

test("a refresh token that another program used up meanwhile is no end", async () => {
  await start({ usedRefreshSeconds: 0 });
  await endToken();
  const { refreshToken } = await kept();
  const tokens = await open();
  const body = new URLSearchParams({
    grant_type: "refresh_token",
    client_id: "mine",
    client_secret: "secret",
    refresh_token: refreshToken!,
  });
  const reply = await fetch(`${server.url}/common/oauth2/v2.0/token`, { method: "POST", body });
  const answer = (await reply.json()) as ReturnType<OneDriveServer["signIn"]>;
  // The other one keeps its token only while ours is on its way.
  server.fault({ on: "POST token", delay: 300 });
  const got = tokens.get();
  await new Promise((done) => setTimeout(done, 100));
  const text = (await readFile(file.path, "utf8")).replace(/^token = .*$/m, tokenLine(answer));
  await writeFile(file.path, text);
  expect(await got).toBe(answer.access_token);
});

test("a token that the service refuses is renewed, whatever the clocks say", async () => {
  await start({ clockSkew: 7_200_000 });
  const tokens = await open();
  const first = await tokens.get();
  expect(await works(first)).toBe(true);
  server.expireTokens();
  tokens.refused(first);
  const second = await tokens.get();
  expect(await works(second)).toBe(true);
  expect(await tokens.get()).toBe(second);
  expect(renewals()).toBe(1);
});

test("a sign-in that was taken back says what to do, and ends with the next sign-in", async () => {
  await start();
  await endToken();
  server.revokeTokens();
  const tokens = await open();
  const error = await tokens.get().catch((error) => error);
  expect(error.code).toBe("Unauthenticated");
  expect(error.message).toMatch(
    /^the sign-in of onedrive: has ended \(invalid_grant: AADSTS50173: .*\): run "overcoat login onedrive onedrive" or "rclone config reconnect onedrive:"$/,
  );
  await expect(tokens.get()).rejects.toBe(error);
  expect(renewals()).toBe(1);
  await writeFile(file.path, server.rcloneSection("onedrive"));
  expect(await works(await (await open()).get())).toBe(true);
});

test("a wrong client secret is told", async () => {
  await start({ clientSecret: "another" });
  await endToken();
  const tokens = await open(await remote({ RCLONE_CONFIG_ONEDRIVE_CLIENT_SECRET: "wrong" }));
  await expect(tokens.get()).rejects.toThrow(/check client_id and client_secret/);
});

test("a failing service is asked again, and its failure is passing", async () => {
  await start();
  await endToken();
  server.fault({ on: "POST token", status: 503, times: 2 });
  expect(await works(await (await open()).get())).toBe(true);
  await endToken();
  server.fault({ on: "POST token", status: 503, times: 100 });
  const tokens = await open();
  await expect(tokens.get()).rejects.toMatchObject({ code: "Unavailable" });
  server.clearFaults();
  expect(await works(await tokens.get())).toBe(true);
});

test("an answer with a rotated token that is lost on its way costs nothing but another call", async () => {
  await start();
  await endToken();
  server.fault({ on: "POST token", loseAnswer: true });
  const got = await (await open()).get();
  expect(await works(got)).toBe(true);
  expect((await kept()).accessToken).toBe(got);
  expect(renewals()).toBe(2);
});

test("a token serves until the new one is there", async () => {
  await start();
  const { accessToken, refreshToken } = await kept();
  await file.updateValue("onedrive", "token", async () =>
    formatToken({ accessToken, refreshToken, expires: Date.now() + 30_000 }),
  );
  let elapsed = 0;
  const { RenewedTokens } = await import("../oauth/access-tokens.ts");
  const { ConfigTokenStore } = await import("./token-store.ts");
  let finish = (_: string) => {};
  const renewed = new Promise<string>((done) => {
    finish = done;
  });
  const tokens = new RenewedTokens({
    remote: "onedrive:",
    store: new ConfigTokenStore(file, "onedrive"),
    advice: "",
    elapsed: () => elapsed,
    renew: async () => ({ accessToken: await renewed, expires: Date.now() + 3_600_000 }),
  });
  expect(await tokens.get()).toBe(accessToken);
  elapsed = 20_000;
  expect(await tokens.get()).toBe(accessToken);
  finish("new");
  elapsed = 40_000;
  expect(await tokens.get()).toBe("new");
});

test("a token from the environment is kept in the data folder, until another one is given", async () => {
  await start({ usedRefreshSeconds: 0 });
  const env = (token: string) => ({ RCLONE_CONFIG_ONEDRIVE_TOKEN: token });
  const given = formatToken({
    accessToken: "old",
    refreshToken: server.signIn().refresh_token,
    expires: 1000,
  });
  const before = await readFile(file.path, "utf8");
  const first = await (await open(await remote(env(given)))).get();
  expect(await works(first)).toBe(true);
  expect(await (await open(await remote(env(given)))).get()).toBe(first);
  expect(renewals()).toBe(1);
  expect(await readFile(file.path, "utf8")).toBe(before);
  expect((await stat(join(folder, "token.json"))).mode & 0o777).toBe(0o600);
  const { access_token: accessToken, refresh_token: refreshToken } = server.signIn();
  const another = formatToken({ accessToken, refreshToken, expires: Date.now() + 60_000 });
  expect(await (await open(await remote(env(another)))).get()).toBe(accessToken);
});

test("an application signs in as itself", async () => {
  await start();
  const given = await remote({ RCLONE_CONFIG_ONEDRIVE_CLIENT_CREDENTIALS: "true" });
  const token_url = `${server.url}/tenant/oauth2/v2.0/token`;
  const tokens = await open({ ...given, options: { ...given.options, token: "", token_url } });
  expect(await works(await tokens.get())).toBe(true);
});

test("a remote with no token says how to sign in", async () => {
  await start();
  const given = await remote();
  await expect(open({ ...given, options: { ...given.options, token: "" } })).rejects.toThrow(
    'onedrive: is not signed in: run "overcoat login onedrive onedrive"',
  );
});

const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);

function tokenLine({ access_token, refresh_token }: ReturnType<OneDriveServer["signIn"]>): string {
  const expires = Date.now() + 3_600_000;
  return `token = ${formatToken({ accessToken: access_token, refreshToken: refresh_token, expires })}`;
}
