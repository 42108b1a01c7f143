import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Gateway, runProgram, served, startGateway } from "../gateway.ts";

const command = process.env.OVERCOAT_TEST_RCLONE ?? "rclone";

describe.each(served)("rclone over $where", ({ tls, drive }) => {
  let gateway: Gateway;
  let source: string;
  const files = ["a.txt", "deep/er/b + ü.txt", "empty", "large.bin"];
  beforeAll(async () => {
    gateway = await startGateway({ tls, drive });
    source = join(gateway.scratch, "source");
    await mkdir(join(source, "deep", "er"), { recursive: true });
    await writeFile(join(source, "a.txt"), "a");
    await writeFile(join(source, "deep/er/b + ü.txt"), "b");
    await writeFile(join(source, "empty"), "");
    await writeFile(join(source, "large.bin"), randomBytes(12 << 20));
    await utimes(join(source, "a.txt"), 1_500_000_000, 1_500_000_000);
  });
  afterAll(() => gateway?.stop());

  function rclone(...args: string[]) {
    const env = {
      ...gateway.environment,
      // rclone takes the certificate by --ca-cert, and its AWS library refuses a second way.
      AWS_CA_BUNDLE: undefined,
      RCLONE_CONFIG_X_TYPE: "s3",
      RCLONE_CONFIG_X_PROVIDER: "Other",
      RCLONE_CONFIG_X_ENDPOINT: gateway.endpoint,
      RCLONE_CONFIG_X_ACCESS_KEY_ID: gateway.accessKeyId,
      RCLONE_CONFIG_X_SECRET_ACCESS_KEY: gateway.secretAccessKey,
      RCLONE_CONFIG_X_REGION: "us-east-1",
      // The smallest there is, so that 12 MiB are three parts.
      RCLONE_CONFIG_X_UPLOAD_CUTOFF: "5Mi",
      RCLONE_CONFIG_X_CHUNK_SIZE: "5Mi",
    };
    const trust = gateway.certificate ? ["--ca-cert", gateway.certificate] : [];
    return runProgram(command, [...trust, "--retries", "1", ...args], { env, cwd: gateway.scratch });
  }
  const listed = async (remote: string) =>
    (await rclone("lsf", "-R", "--files-only", remote)).split("\n").filter(Boolean).sort();

  test.concurrent("copies there and back, and checks", async () => {
    const remote = "X:rclone-copy/folder";
    await rclone("copy", source, remote);
    expect(await listed(remote)).toEqual(files);
    expect(await rclone("lsf", "X:")).toMatch(/^rclone-copy\/$/m);
    await rclone("check", source, remote);
    await rclone("check", "--download", source, remote);
    const target = join(gateway.scratch, "target");
    await rclone("copy", remote, target);
    for (const name of files) {
      const [before, after] = await Promise.all([source, target].map((path) => readFile(join(path, name))));
      expect(before?.equals(after!), name).toBe(true);
    }
    expect(await rclone("lsf", "--format", "t", "--files-only", "--include", "a.txt", remote)).toMatch(
      /^2017-07-1/,
    );
    await rclone("copy", remote, "X:rclone-copy/other");
    await rclone("check", remote, "X:rclone-copy/other");
  });

  test.concurrent("syncs, moves and deletes", async () => {
    const remote = "X:rclone-sync";
    const changing = join(gateway.scratch, "changing");
    await rclone("copy", source, changing);
    await rclone("mkdir", remote);
    await rclone("sync", changing, remote);
    await rm(join(changing, "a.txt"));
    await writeFile(join(changing, "new.txt"), "new");
    await rclone("sync", changing, remote);
    await rclone("check", changing, remote);
    expect(await listed(remote)).toEqual(["deep/er/b + ü.txt", "empty", "large.bin", "new.txt"]);
    await rclone("moveto", `${remote}/new.txt`, `${remote}/moved/new.txt`);
    expect(await rclone("cat", `${remote}/moved/new.txt`)).toBe("new");
    await rclone("deletefile", `${remote}/empty`);
    await rclone("delete", "--include", "*.bin", remote);
    expect(await listed(remote)).toEqual(["deep/er/b + ü.txt", "moved/new.txt"]);
    await rclone("purge", remote);
    expect(await rclone("lsf", "X:")).not.toContain("rclone-sync");
  });
});
