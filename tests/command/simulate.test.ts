import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { overcoat, root, run, work } from "./overcoat.ts";

const simulate = (...args: string[]) => overcoat(["simulate", ...args]);

test("a OneDrive to try things out, written into an rclone.conf", async () => {
  const config = join(work, "rclone.conf");
  await writeFile(config, "[other]\ntype = local\n\n[onedrive]\ntype = old\n\n[more]\ntype = alias\n");
  const fault = "GET children: status=503, times=1";
  const args = ["--config", config, "--files", "150", "--fault", fault, "--drive-type", "business"];
  const { printed, output, child, exit } = simulate("onedrive", ...args);
  await printed("has it as onedrive:");
  const url = /on (http:\/\/127\.0\.0\.1:\d+)/.exec(output())![1]!;
  const text = await readFile(config, "utf8");
  expect(text).toMatch(
    /^\[other\]\ntype = local\n\n\[onedrive\]\ntype = onedrive\n[^[]*\n\n\[more\]\ntype = alias\n$/,
  );
  expect((await stat(config)).mode & 0o777).toBe(0o600);
  const { access_token } = JSON.parse(/^token = (.*)$/m.exec(text)![1]!);
  const drive = /^drive_id = (.*)$/m.exec(text)![1];
  expect(/^tenant_url = (.*)$/m.exec(text)![1]).toBe(url);
  const list = () =>
    fetch(`${url}/v1.0/drives/${drive}/root:/sample/00001:/children`, {
      headers: { authorization: `Bearer ${access_token}` },
    });
  expect((await list()).status).toBe(503);
  expect(((await (await list()).json()) as { value: unknown[] }).value).toHaveLength(50);
  expect(await (await fetch(`${url}/-/calls`)).json()).toMatchObject({
    total: 2,
    calls: { "GET children": 2 },
  });
  process.kill(-child.pid!, "SIGHUP");
  expect(await exit).toBe(0);
});

test("a Google Drive", async () => {
  const config = join(work, "rclone.conf");
  const { printed } = simulate("google-drive", "--config", config, "--files", "3");
  await printed("has it as google-drive:");
  const text = await readFile(config, "utf8");
  expect(text).toMatch(/^\[google-drive\]\ntype = drive\n/);
  const url = /^root_url = (.*)$/m.exec(text)![1];
  const { access_token } = JSON.parse(/^token = (.*)$/m.exec(text)![1]!);
  const list = await fetch(`${url}/drive/v3/files?q=name+contains+'00000'`, {
    headers: { authorization: `Bearer ${access_token}` },
  });
  expect(((await list.json()) as { files: unknown[] }).files).toHaveLength(4);
  const other = simulate("google-drive", "--drive-type", "business");
  expect(await other.exit).toBe(2);
  expect(other.output()).toContain("--drive-type is for onedrive only");
});

test("a Dropbox, on the addresses that its remote names", async () => {
  const config = join(work, "rclone.conf");
  const { printed } = simulate("dropbox", "--config", config, "--files", "3");
  await printed("has it as dropbox:");
  const text = await readFile(config, "utf8");
  const { access_token } = JSON.parse(/^token = (.*)$/m.exec(text)![1]!);
  const response = await fetch(`${/^api_url = (.*)$/m.exec(text)![1]}/2/files/list_folder`, {
    method: "POST",
    headers: { authorization: `Bearer ${access_token}`, "content-type": "application/json" },
    body: JSON.stringify({ path: "/sample/00000" }),
  });
  expect(((await response.json()) as { entries: unknown[] }).entries).toHaveLength(3);
});

test("an Auth0, and what there is not", async () => {
  const { printed } = simulate("auth0", "--files", "3");
  await printed("Simulating Auth0 on http://127.0.0.1:");
  const unknown = simulate("icloud");
  expect(await unknown.exit).toBe(2);
  expect(unknown.output()).toContain(
    'there is no stand-in of "icloud"; there are: onedrive, google-drive, dropbox, auth0',
  );
  for (const address of ["0.0.0.0:0", "127.0.0.2:0"]) {
    const open = simulate("onedrive", "--addr", address);
    expect(await open.exit).toBe(2);
    expect(open.output()).toContain("listens on loopback only, at 127.0.0.1");
  }
});

test("what npm has started ends when npm is told to", async () => {
  const { child, exit, printed, output } = run("npm", ["exec", "--", "overcoat", "simulate", "auth0"], {
    cwd: root,
  });
  await printed("Simulating Auth0");
  const [url] = /http:\S+/.exec(output())!;
  child.kill("SIGTERM");
  // Its output is closed by the last one that has it.
  await exit;
  await expect(fetch(url)).rejects.toThrow("fetch failed");
});
