import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type DriveStandIn,
  type OneDriveOptions,
  startDropbox,
  startGoogleDrive,
  startOneDrive,
} from "@overcoat/simulators";
import { afterEach, beforeEach, expect, test } from "vitest";
import { command, plainEnvironment } from "../process.ts";
import { overcoat, work } from "./overcoat.ts";

let config: string;
const servers: DriveStandIn[] = [];
beforeEach(() => {
  config = join(work, "rclone.conf");
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function oneDrive(options: OneDriveOptions = {}) {
  const server = await startOneDrive({ clientId: "mine", files: { "Documents/a": "a" }, ...options });
  servers.push(server);
  return server;
}

/** Where the stand-in is, in rclone's keys. */
function addresses(server: DriveStandIn): string[] {
  const keys = server
    .rcloneSection("x")
    .matchAll(/^((?:auth|token|tenant|root|api|content|notify)_url) = (.*)$/gm);
  return [...keys].flatMap(([, key, value]) => ["--set", `${key}=${value}`]);
}

const login = (server: DriveStandIn, ...args: string[]) =>
  overcoat(["login", ...args, "--config", config, ...addresses(server)]);
const addressIn = (text: string) => /^ {2}(http:\S+)$/m.exec(text)![1]!;
const section = async () => {
  const text = await readFile(config, "utf8");
  return Object.fromEntries([...text.matchAll(/^(\w+) = (.*)$/gm)].map(([, key, value]) => [key, value]));
};
/** As a browser: goes where it is sent on to. */
const browse = async (address: string) => (await fetch(address)).text();

test("OneDrive by device code, for rclone and Overcoat alike", async () => {
  const server = await oneDrive();
  await writeFile(config, "[other]\ntype = alias\nremote = /\n", { mode: 0o644 });
  const [signing, declined] = [
    login(server, "onedrive", "--client-id", "mine"),
    login(server, "onedrive", "declined", "--client-id", "mine"),
  ];
  for (const { printed, output } of [signing, declined]) {
    await printed("http");
    expect(output()).toContain("Open this address on any device");
  }
  const code = ({ output }: typeof signing) => /enter the code (\S+)/.exec(output())![1]!;
  expect(server.decide(code(declined), "declined")).toBe(true);
  expect(await browse(addressIn(signing.output()))).toBe("You are signed in.\n");
  expect(await declined.exit).toBe(1);
  expect(declined.output()).toContain("the sign-in to OneDrive did not succeed: authorization_declined");
  expect(await signing.exit).toBe(0);
  expect(signing.output()).toContain(`${config} has it as onedrive:`);
  expect((await stat(config)).mode & 0o777).toBe(0o600);
  expect(await readFile(config, "utf8")).toMatch(
    /^\[other\]\ntype = alias\nremote = \/\n\n\[onedrive\]\ntype = onedrive\n/,
  );
  const { client_id, drive_id, drive_type, token } = await section();
  expect({ client_id, drive_id, drive_type }).toEqual({
    client_id: "mine",
    drive_id: server.driveId,
    drive_type: "personal",
  });
  expect(Object.keys(JSON.parse(token!))).toEqual(["access_token", "token_type", "refresh_token", "expiry"]);
  const tested = overcoat(["remotes", "test", "onedrive", "--config", config]);
  expect(await tested.exit).toBe(0);
  expect(tested.output()).toContain("onedrive: is reached: OneDrive");
  expect(tested.output()).toContain("  Documents/\n");
});

test("OneDrive in the browser, a library of a SharePoint site", async () => {
  const server = await oneDrive({ driveType: "documentLibrary", clientSecret: "secret" });
  const args = ["team", "--method", "browser", "--redirect-port", "0", "--site", "science"];
  const signing = login(server, "onedrive", ...args, "--client-id", "mine", "--client-secret", "secret");
  await signing.printed("allow the access");
  const address = addressIn(signing.output());
  expect(new URL(address).searchParams.get("code_challenge_method")).toBe("S256");
  const back = new URL(address).searchParams.get("redirect_uri")!;
  expect(back).toMatch(/^http:\/\/localhost:\d+\/$/);
  // Others who find the port do no harm.
  expect((await fetch(`${back}favicon.ico`.replace("localhost", "127.0.0.1"))).status).toBe(404);
  expect(await browse(address)).toContain("You are signed in");
  expect(await signing.exit).toBe(0);
  expect(signing.output()).toContain("The drive is Data Science: Documents (documentLibrary)");
  expect(await section()).toMatchObject({ drive_type: "documentLibrary", client_secret: "secret" });
});

test("an answer that is not to our question is refused", async () => {
  const server = await oneDrive();
  const signing = login(
    server,
    "onedrive",
    "--client-id",
    "mine",
    "--method",
    "browser",
    "--redirect-port",
    "0",
  );
  await signing.printed("allow the access");
  const forged = new URL(addressIn(signing.output()));
  forged.searchParams.set("state", "forged");
  await browse(forged.href);
  expect(await signing.exit).toBe(1);
  expect(signing.output()).toContain("gave an answer that makes no sense");
  expect(await readFile(config, "utf8").catch(() => "none")).toBe("none");
});

test("who declines in the browser is told so", async () => {
  const server = await oneDrive();
  const args = ["--client-id", "mine", "--method", "browser", "--redirect-port", "0"];
  const signing = login(server, "onedrive", ...args);
  await signing.printed("allow the access");
  const { searchParams } = new URL(addressIn(signing.output()));
  const answer = new URLSearchParams({ error: "access_denied", state: searchParams.get("state")! });
  expect(await browse(`${searchParams.get("redirect_uri")}?${answer}`)).toContain("The sign-in failed");
  expect(await signing.exit).toBe(1);
  expect(signing.output()).toContain("the sign-in to OneDrive did not succeed: access_denied");
});

test("Google Drive in the browser", async () => {
  const server = await startGoogleDrive({ clientId: "mine", clientSecret: "secret" });
  servers.push(server);
  const signing = overcoat(
    ["login", "google-drive", "--config", config, "--redirect-port", "0", ...addresses(server)],
    { OVERCOAT_GOOGLE_DRIVE_CLIENT_ID: "mine", OVERCOAT_GOOGLE_DRIVE_CLIENT_SECRET: "secret" },
  );
  await signing.printed("allow the access");
  expect(await browse(addressIn(signing.output()))).toContain("You are signed in");
  expect(await signing.exit).toBe(0);
  const { type, client_secret, token } = await section();
  expect({ type, client_secret }).toEqual({ type: "drive", client_secret: "secret" });
  expect(JSON.parse(token!).refresh_token).toBeTruthy();
  const device = login(server, "google-drive", "--client-id", "mine", "--method", "device");
  expect(await device.exit).toBe(2);
  expect(device.output()).toContain("--method: Google Drive has browser only");
});

test("Dropbox by a code that is pasted", async () => {
  const server = await startDropbox({ clientId: "mine" });
  servers.push(server);
  const args = ["login", "dropbox", "box", "--client-id", "mine", "--config", config, ...addresses(server)];
  const child = spawn(process.execPath, [command, ...args], { cwd: work, env: plainEnvironment });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  while (!output.includes("The code that Dropbox shows")) await once(child.stdout, "data");
  const shown = await browse(addressIn(output));
  child.stdin.write(`${/: (\S+)/.exec(shown)![1]}\n`);
  const [code] = await once(child, "close");
  expect(code).toBe(0);
  const { type, token } = await section();
  expect(type).toBe("dropbox");
  expect(JSON.parse(token!).refresh_token).toBeTruthy();
});

test("remotes are listed and removed", async () => {
  const server = await oneDrive();
  await writeFile(config, `${server.rcloneSection("onedrive")}\n[box]\ntype = drive\n\n[old]\ntype = mega\n`);
  const listed = overcoat(["remotes", "--config", config]);
  expect(await listed.exit).toBe(0);
  expect(
    listed
      .output()
      .split("\n")
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    ["onedrive: OneDrive", "signed in"],
    ["box:", "Google Drive", "not signed in"],
    ["old:", "mega, not served by Overcoat"],
    [""],
  ]);
  const removed = overcoat(["remotes", "remove", "onedrive:", "--config", config]);
  expect(await removed.exit).toBe(0);
  expect(await readFile(config, "utf8")).toBe("[box]\ntype = drive\n\n[old]\ntype = mega\n");
  const json = overcoat(["remotes", "list", "--json", "--config", config]);
  expect(await json.exit).toBe(0);
  expect(JSON.parse(json.output())[0]).toMatchObject({ name: "box", type: "drive", signedIn: false });
});

test.each([
  [2, 'there is no sign-in to "icloud"; there are: onedrive, google-drive, dropbox', ["icloud"]],
  [
    2,
    "OneDrive needs a client id of your own: give --client-id or OVERCOAT_ONEDRIVE_CLIENT_ID",
    ["onedrive"],
  ],
  [2, "old: in  is of the type mega; give another NAME", ["onedrive", "old"]],
  [2, '--set: "x" must be KEY=VALUE', ["onedrive", "--set", "x"]],
])("ends with %i and says: %s", async (code, text, args) => {
  await writeFile(config, "[old]\ntype = mega\n");
  const { exit, output } = overcoat(["login", ...args, "--config", config]);
  expect(await exit).toBe(code);
  expect(output().replace(config, "")).toContain(text);
});
