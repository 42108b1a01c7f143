import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type OneDriveServer, startOneDrive } from "@overcoat/simulators";
import { afterEach, beforeEach, expect, test } from "vitest";
import { overcoat, work } from "./overcoat.ts";

let server: OneDriveServer;
let config: string;
beforeEach(async () => {
  server = await startOneDrive({ files: { "datasets/a.csv": "a", "Photos 2020/b": "b" } });
  config = join(work, "rclone.conf");
  await writeFile(config, server.rcloneSection("onedrive"));
});
afterEach(() => server?.close());

const doctor = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  overcoat(["doctor", ...args, "--config", config], env);

interface Report {
  readonly ok: boolean;
  readonly tasks: readonly { task: string; done: boolean; detail: string }[];
}

test("ticks the whole checklist, and leaves nothing behind", async () => {
  const { exit, output } = doctor(["onedrive:"]);
  expect(await exit).toBe(0);
  expect(output()).toMatch(
    /^OneDrive Wrapper Implementation Checklist for onedrive:\n\n1\. Prepare rclone remote\n/,
  );
  expect(output().match(/^ {3}- \[x\] /gm)).toHaveLength(8);
  expect(output()).toContain("2 folders: Photos 2020, datasets\n");
  expect(output()).toContain("403 AccessDenied, as XML");
  expect(output()).toContain("29 bytes went up to overcoat-doctor-");
  const reply = await fetch(`${server.url}/v1.0/me/drive/root/children`, {
    headers: { authorization: `Bearer ${server.signIn().access_token}` },
  });
  const { value } = (await reply.json()) as { value: { name: string }[] };
  const names = value.map(({ name }) => name).filter((name) => name !== ".overcoat");
  expect(names.sort()).toEqual(["Photos 2020", "datasets"]);
});

test("looks at a gateway that runs, and tells a wrong key and a wrong remote", async () => {
  const args = [
    "serve",
    "s3",
    "onedrive:",
    "--config",
    config,
    "--data",
    join(work, "data"),
    "--workers",
    "1",
  ];
  const gateway = overcoat([...args, "--addr", "127.0.0.1:0", "--auth-key", "id,secret"]);
  await gateway.printed("as S3 on");
  const endpoint = /as S3 on (http:\S+?)[,\s]/.exec(gateway.output())![1]!;
  const check = async (secret: string, remote = "onedrive:") => {
    const { exit, output } = doctor([remote, "--endpoint", endpoint, "--json"], {
      AWS_ACCESS_KEY_ID: "id",
      AWS_SECRET_ACCESS_KEY: secret,
    });
    const code = await exit;
    const report: Report = JSON.parse(output().replace(/^overcoat: .*\n/gm, ""));
    expect(code).toBe(report.ok ? 0 : 1);
    return report.tasks.filter(({ done }) => !done).map(({ detail }) => detail);
  };
  expect(await check("secret")).toEqual([]);
  expect(await check("wrong")).toEqual([
    expect.stringMatching(/^SignatureDoesNotMatch: .*started with$/),
    expect.stringContaining("signature"),
  ]);
  expect(await check("secret", "onedrive:datasets")).toEqual([
    "the object is not in onedrive:datasets: does the gateway serve another remote or folder?",
  ]);
});

test("tells a sign-in that has ended, and an endpoint that is another program's", async () => {
  server.revokeTokens();
  const other = createServer((_, response) => response.writeHead(404).end("Not here"));
  await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
  const endpoint = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const { exit, output } = doctor(["onedrive:", "--endpoint", endpoint]);
  expect(await exit).toBe(1);
  other.close();
  expect(output()).toMatch(
    /- \[ \] Verify the remote .*\n +onedrive: cannot be reached: the sign-in of onedrive: has ended/,
  );
  expect(output()).toContain(`${endpoint} answers 404 without S3's XML: is it another program's?`);
  expect(output()).toContain("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
});

test("a folder in the place of the drive", async () => {
  await mkdir(join(work, "nas/bucket"), { recursive: true });
  await writeFile(config, `[onedrive-smoke]\ntype = alias\nremote = ${work}/nas\n`);
  const { exit, output } = doctor(["onedrive-smoke:"]);
  expect(await exit).toBe(0);
  expect(output()).toContain("1 bucket: bucket\n");
});
