import { join } from "node:path";
import { ConfigFile } from "@overcoat/drives";
import { expect, test } from "vitest";
import type { TestConsole } from "./console.ts";
import { expectAccessible } from "./page-checks.ts";

/** A remote that is there without a sign-in: that of a drive of the demo, under another name. */
const name = "team";

/** The file of remotes of the demo. */
const remotesOf = ({ folder }: TestConsole) => new ConfigFile(join(folder, "data/demo/rclone.conf"));

/** Puts a remote there that nobody signed in to. */
export async function putRemote(console: TestConsole): Promise<void> {
  const file = remotesOf(console);
  const { client_id, client_secret, token, ...addresses } = (await file.sections()).get("dropbox")!;
  await file.setSection(name, addresses);
}

/** What the page of remotes does. */
export function remotesTests(running: () => TestConsole): void {
  test("a drive is signed in to in the browser, and served at once", async () => {
    const console = running();
    const client_secret = "secret-of-the-client";
    // Of another site than the drive's stand-in, as the real ones are.
    const url = new URL(console.connections.console.url);
    url.hostname = "localhost";
    const { context, page, problems } = await console.open({ baseURL: url.origin });
    const told: Promise<string>[] = [];
    page.on("response", (response) => told.push(response.text().catch(() => "")));
    await page.goto("/remotes");
    await page.getByLabel("Password").fill(console.connections.console.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    const remote = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name }) });
    await remote.getByText("Not signed in").waitFor();
    await remote.getByRole("link", { name: "Sign in to team" }).click();
    await page.getByRole("heading", { name: "Sign in again: team" }).waitFor();
    await page.getByText(`${url.origin}/remotes/callback`).waitFor();
    await page.getByLabel("Client id").fill("mine");
    await page.getByLabel("Client secret").fill(client_secret);
    await page.getByRole("button", { name: "Continue to Dropbox" }).click();
    await page.getByText("You are signed in to Dropbox").waitFor();
    expect(page.url()).toBe(`${url.origin}/remotes?ended`);
    await remote.getByText("Reached: Dropbox").waitFor();
    await expectAccessible(page, "a sign-in that succeeded");

    const { token, ...kept } = (await remotesOf(console).sections()).get(name)!;
    expect(kept).toMatchObject({ type: "dropbox", client_id: "mine", client_secret });
    const texts = (await Promise.all(told)).join("\n");
    expect(texts).toContain("You are signed in to");
    for (const secret of [client_secret, JSON.parse(token!).access_token, JSON.parse(token!).refresh_token])
      expect(texts.includes(secret)).toBe(false);

    await page.getByRole("status").getByRole("link", { name }).click();
    await page.getByRole("link", { name: "datasets" }).waitFor();
    expect(problems).toEqual([]);
    await context.close();
  });

  test("no answer is taken that this browser did not ask for, and nobody is led elsewhere", async () => {
    const console = running();
    const { url } = console.connections.console;
    const callback = await fetch(`${url}/remotes/callback?code=%22%3E%3Cscript%3E&state=1`);
    expect(await callback.text()).toContain(
      'content="0; url=/remotes/finish?code=%22%3E%3Cscript%3E&amp;state=1"',
    );
    const stranger = await fetch(`${url}/remotes/finish?code=1&state=1`, { redirect: "manual" });
    expect(new URL(stranger.headers.get("location")!, url).pathname).toBe("/sign-in");
    const { context, page, problems } = await console.signIn();
    await page.goto("/remotes/callback?code=1&state=1");
    await page.getByText("The sign-in did not end").waitFor();
    expect(await page.getByLabel("Name of the remote").inputValue()).toBe("onedrive-2");
    await page.getByLabel("Provider").selectOption("Google Drive");
    await page.getByLabel("Name of the remote").fill("dropbox");
    await page.getByLabel("Client id").fill("mine");
    await page.getByLabel("Client secret").fill("x");
    await page.getByRole("button", { name: "Continue to Google Drive" }).click();
    await page.getByText("is of the type dropbox").waitFor();
    expect(await page.getByLabel("Client id").inputValue()).toBe("mine");
    await expectAccessible(page, "a sign-in that failed");
    expect(problems).toEqual([]);
    await context.close();
  });
}
