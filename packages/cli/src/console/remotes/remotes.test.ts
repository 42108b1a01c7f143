import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigFile } from "@overcoat/drives";
import { type OneDriveServer, startOneDrive } from "@overcoat/simulators";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listenAdmin } from "../../admin.ts";
import { resolveSettings } from "../../flags/resolve.ts";
import { createLog } from "../../log.ts";
import { DriveMetrics } from "../../remotes/drive-metrics.ts";
import { openDrive } from "../../remotes/open-drive.ts";
import { resolvePlace } from "../../remotes/place.ts";
import { loadRemotes } from "../../remotes/rclone-remotes.ts";
import { ServedBuckets } from "../../remotes/served-buckets.ts";
import { ConsoleRemotes } from "./remotes.ts";
import { remotesRoutes } from "./routes.ts";

const redirect = "http://localhost:3000/remotes/callback";
const client = { clientId: "mine", clientSecret: "secret-of-client" };

let work: string;
let file: string;
let server: OneDriveServer;
let parts: AsyncDisposableStack;
/** All that was answered so far. */
let answered: string;

beforeEach(async () => {
  parts = new AsyncDisposableStack();
  answered = "";
  work = await mkdtemp(join(tmpdir(), "overcoat-remotes-"));
  parts.defer(() => rm(work, { recursive: true }));
  await mkdir(join(work, "drive/photos"), { recursive: true });
  file = join(work, "rclone.conf");
  server = parts.use(await startOneDrive({ ...client, files: { "Documents/a": "a" } }));
  const [addresses] = server.rcloneSection("Work drive").split("token = ");
  const unsigned = addresses!.replace(/^client_.*\n/gm, "");
  await writeFile(file, `${unsigned}\n[photos]\n${unsigned.replace(/^\[.*\n/, "")}`, { mode: 0o644 });
});
afterEach(() => parts.disposeAsync());

/** A gateway's drive that grows, and what the console asks. */
async function open() {
  const settings = {
    ...resolveSettings(join(work, "drive"), { addr: ["127.0.0.1:0"], data: join(work, "data") }, {}, {}),
    growing: true,
  };
  const log = createLog({ ...settings, logFile: join(work, "log") });
  const { drive, map } = await openDrive(settings, log, new DriveMetrics());
  const errors: string[] = [];
  const resolve = async (text: string) => resolvePlace(text, {}, await loadRemotes(file, {}));
  const buckets = new ServedBuckets({
    buckets: {},
    file: join(work, "buckets.json"),
    resolve,
    map,
    onError: (message) => errors.push(message),
  });
  await buckets.restore();
  const remotes = new ConsoleRemotes({ file: new ConfigFile(file), buckets, resolve });
  const admin = await listenAdmin(
    { host: "127.0.0.1", port: 0 },
    { ready: () => true, metrics: async () => "", more: remotesRoutes(remotes, "token") },
  );
  const ask = async (method: string, path: string, body?: object, token = "token") => {
    const response = await fetch(`http://127.0.0.1:${admin.port}/-/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    answered += text;
    return { status: response.status, json: JSON.parse(text) };
  };
  const signIn = (more = {}) =>
    ask("POST", "sign-ins", {
      provider: "onedrive",
      name: "Work drive",
      again: true,
      ...client,
      redirect,
      ...more,
    });
  const close = async () => {
    admin.close();
    await drive.close();
  };
  return { drive, errors, ask, signIn, close };
}

/** What the browser comes back with. */
async function browse(address: string): Promise<string> {
  const response = await fetch(address, { redirect: "manual" });
  const location = response.headers.get("location")!;
  expect(location.startsWith(`${redirect}?`)).toBe(true);
  return new URL(location).search;
}

test("a sign-in is kept and served as a bucket, also after a new start", async () => {
  const { drive, ask, signIn, close } = await open();
  const before = (await ask("GET", "remotes")).json;
  expect(before).toMatchObject({ file, remotes: [{ name: "Work drive", signedIn: false, buckets: [] }, {}] });
  expect((await ask("GET", "remotes/Work%20drive")).json.error).toContain("is not signed in");

  const { state, address } = (await signIn()).json;
  expect(new URL(address).searchParams.get("code_challenge_method")).toBe("S256");
  expect((await ask("GET", `sign-ins/${state}`)).json.standing).toEqual({ state: "waiting" });
  const query = await browse(address);
  const done = { name: "Work drive", title: "OneDrive", standing: { state: "done", bucket: "work-drive" } };
  expect((await ask("POST", `sign-ins/${state}/answer`, { query })).json).toEqual(done);
  expect((await ask("POST", `sign-ins/${state}/answer`, { query })).status).toBe(400);
  expect((await ask("GET", `sign-ins/${state}`)).json).toEqual(done);

  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const section = (await new ConfigFile(file).sections()).get("Work drive")!;
  expect(section).toMatchObject({
    client_id: "mine",
    drive_id: server.driveId,
    auth_url: expect.any(String),
  });
  expect(await drive.stat("work-drive/Documents/a")).toMatchObject({ size: 1 });
  const [listed] = (await ask("GET", "remotes")).json.remotes;
  expect(listed).toMatchObject({ signedIn: true, hasClient: true, buckets: ["work-drive"] });
  expect((await ask("GET", "remotes/Work%20drive")).json).toMatchObject({ folders: 1 });

  const again = (await signIn({ clientId: undefined, clientSecret: undefined })).json;
  const renewed = { query: await browse(again.address) };
  expect((await ask("POST", `sign-ins/${again.state}/answer`, renewed)).json).toEqual(done);
  await close();

  const { access_token, refresh_token } = JSON.parse(section.token!);
  const log = await readFile(join(work, "log"), "utf8");
  for (const secret of [access_token, refresh_token, client.clientSecret])
    expect([answered.includes(secret), log.includes(secret)]).toEqual([false, false]);

  const restarted = await open();
  expect(await restarted.drive.stat("work-drive/Documents/a")).toMatchObject({ size: 1 });
  await restarted.close();
  await new ConfigFile(file).removeSection("Work drive");
  const without = await open();
  expect(without.errors).toEqual([expect.stringContaining("the bucket work-drive of")]);
  await without.close();
});

test("what is declined, forged or not whole is not kept", async () => {
  const { ask, signIn, close } = await open();
  const before = await readFile(file, "utf8");
  const declined = (await signIn()).json;
  const answer = (state: string, query: string) => ask("POST", `sign-ins/${state}/answer`, { query });
  const { standing } = (await answer(declined.state, `?error=access_denied&state=${declined.state}`)).json;
  expect(standing).toEqual({ state: "failed", message: "access_denied" });
  const { state, address } = (await signIn()).json;
  const forged = new URLSearchParams(await browse(address));
  forged.set("state", "forged");
  expect((await answer(state, `?${forged}`)).json.standing.message).toContain("makes no sense");
  expect((await answer("unknown", "?code=x")).json.error).toContain("has ended");
  expect((await ask("GET", "sign-ins/unknown")).status).toBe(404);
  for (const [given, message] of [
    [{ clientSecret: "x\ntoken = {}" }, "plain characters"],
    [{ name: "a]\n[b" }, "letters"],
    [{ redirect: "javascript:alert(1)" }, "redirect"],
    [{ again: false }, "there is a remote Work drive: already"],
    [{ provider: "icloud" }, 'no sign-in to "icloud"'],
    [{ provider: "dropbox" }, "is of the type onedrive"],
    [{ provider: "google-drive", name: "g", clientSecret: undefined }, "needs the secret"],
  ] as const)
    expect((await signIn(given)).json.error).toContain(message);
  expect((await ask("GET", "remotes", undefined, "another")).status).toBe(401);
  await writeFile(file, before.replace(/^auth_url = .*/m, "auth_url = javascript:alert(1)"));
  expect((await signIn()).json.error).toContain("only HTTP and HTTPS");
  expect(await readFile(join(work, "buckets.json"), "utf8").catch(() => "none")).toBe("none");
  await close();
});

test("a remote whose name is a bucket's already is kept, and not served in its place", async () => {
  const { drive, ask, signIn, close } = await open();
  const { state, address } = (await signIn({ name: "photos" })).json;
  const { standing } = (await ask("POST", `sign-ins/${state}/answer`, { query: await browse(address) })).json;
  expect(standing).toEqual({
    state: "done",
    advice: expect.stringContaining("there is a bucket photos already"),
  });
  expect(await drive.stat("photos/Documents")).toBeUndefined();
  await close();
});

test("who has several drives chooses one", async () => {
  const { ask, signIn, close } = await open();
  await writeFile(file, (await readFile(file, "utf8")).replace(/^drive_.*\n/gm, ""));
  const drives = [
    { id: server.driveId, driveType: "personal", name: "Mine" },
    { id: "other", driveType: "business", name: "Ours" },
  ];
  server.fault({ on: "GET drives", status: 200, body: { value: drives } });
  const { state, address } = (await signIn()).json;
  const { standing } = (await ask("POST", `sign-ins/${state}/answer`, { query: await browse(address) })).json;
  expect(standing).toEqual({
    state: "choosing",
    drives: [
      { id: server.driveId, name: expect.stringContaining("(personal)") },
      { id: "other", name: "Ours (business)" },
    ],
  });
  expect((await new ConfigFile(file).sections()).get("Work drive")!.token).toBeUndefined();
  const choose = (drive: string) => ask("POST", `sign-ins/${state}/drive`, { drive });
  expect((await choose("none")).json.error).toContain("no such drive");
  expect((await choose(server.driveId)).json.standing).toEqual({ state: "done", bucket: "work-drive" });
  const section = (await new ConfigFile(file).sections()).get("Work drive")!;
  expect(section).toMatchObject({ drive_id: server.driveId, drive_type: "personal" });
  await close();
});
