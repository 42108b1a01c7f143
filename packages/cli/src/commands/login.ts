import {
  ConfigError,
  ConfigFile,
  DriveError,
  type Provider,
  providers,
  type Section,
  SignInEnded,
  type SignInRequest,
  signInRequest,
  startBrowserSignIn,
  startCodeSignIn,
  startDeviceSignIn,
  type Token,
} from "@overcoat/drives";
import { RunError, UsageError } from "../errors.ts";
import { parsePort } from "../flags/values.ts";
import { askSecret, askText, isInteractive, say } from "../login/ask.ts";
import { chooseDrive } from "../login/choose-drive.ts";
import { type LoginFlags, loginOptions, methodOf, variablePrefix } from "../login/options.ts";
import { keepSignIn, sectionBefore, withClient } from "../login/remote-section.ts";
import { rcloneConfigFile } from "../remotes/rclone-remotes.ts";

/** `overcoat login DRIVE [NAME]`: signs in, and keeps the remote in rclone.conf. */
export async function login(drive: string, given: string | undefined, flags: LoginFlags): Promise<void> {
  const provider = providers.find(({ command, type }) => command === drive || type === drive);
  if (!provider) {
    const known = providers.map(({ command }) => command).join(", ");
    throw new UsageError(`there is no sign-in to "${drive}"; there are: ${known}`);
  }
  const name = given?.replace(/:$/, "") ?? provider.command;
  const path = rcloneConfigFile(flags.config, process.env);
  if (path === undefined) throw new UsageError("--config: the sign-in needs a file to be kept in");
  const file = new ConfigFile(path);
  try {
    const before = await sectionBefore(file, name, provider);
    const options = await askClient(provider, loginOptions(provider, flags, process.env, before));
    const token = await signIn(provider, options, flags);
    const drive = provider.type === "onedrive" ? await chooseDrive(options, token, flags) : {};
    await keepSignIn(file, name, provider, { ...options, ...drive }, token);
  } catch (error) {
    if (error instanceof SignInEnded)
      throw new RunError(`the sign-in to ${provider.title} did not succeed: ${error.message}`);
    if (error instanceof DriveError || error instanceof ConfigError)
      throw new RunError(error.message, { cause: error });
    throw error;
  }
  say(`${path} has it as ${name}:`);
  say(`Try it: overcoat doctor ${name}:  and  overcoat serve s3 ${name}:`);
}

async function askClient(provider: Provider, options: Section): Promise<Section> {
  if (options.client_id) return options;
  const { title, command, needsSecret } = provider;
  const guide = `docs/${command}.md tells how to register one`;
  if (!isInteractive())
    throw new UsageError(
      `${title} needs a client id of your own: give --client-id or ${variablePrefix(provider)}_CLIENT_ID; ${guide}`,
    );
  say(`${title} needs a client id of your own; ${guide}.`);
  const client_id = await askText("Client id");
  const none = needsSecret ? "" : " (empty for a public client)";
  return withClient(options, client_id, await askSecret(`Client secret${none}`));
}

async function signIn(provider: Provider, options: Section, flags: LoginFlags): Promise<Token> {
  const request = signInRequest(provider, options);
  const method = methodOf(provider, flags.method);
  if (method === "device") return signInOnDevice(request);
  if (method === "browser") return signInInBrowser(request, provider.redirect, flags);
  const { address, finish } = await startCodeSignIn(request);
  say(`Open this address, and allow the access:\n\n  ${address}\n`);
  return finish(await askText(`The code that ${provider.title} shows`));
}

async function signInOnDevice(request: SignInRequest): Promise<Token> {
  const { address, code, wait } = await startDeviceSignIn(request);
  say(`Open this address on any device, and enter the code ${code} there:\n\n  ${address}\n`);
  return wait();
}

async function signInInBrowser(
  request: SignInRequest,
  redirect: string,
  { redirectPort, open = true }: LoginFlags,
): Promise<Token> {
  const url = new URL(redirect);
  if (redirectPort !== undefined) url.port = String(parsePort(redirectPort, "--redirect-port"));
  const started = await startBrowserSignIn(request, url.href).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    throw new RunError(`port ${url.port} is in use, to which the browser is to come back: free it`);
  });
  say(`Open this address in the browser of this machine, and allow the access:\n\n  ${started.address}\n`);
  if (open && isInteractive()) {
    const { default: show } = await import("open");
    // Where there is no browser the address is there to be copied.
    await show(started.address).catch(() => {});
  }
  return started.wait(AbortSignal.timeout(longestSignIn)).catch((error: Error) => {
    if (error.name !== "TimeoutError") throw error;
    throw new RunError("nobody came back from the browser within 15 minutes: try again");
  });
}

const longestSignIn = 15 * 60_000;
