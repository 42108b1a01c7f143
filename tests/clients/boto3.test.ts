import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Gateway, runProgram, served, startGateway } from "../gateway.ts";

const python = process.env.OVERCOAT_TEST_PYTHON ?? "python3";
const script = fileURLToPath(new URL("boto3_client.py", import.meta.url));
const works = ["objects", "multipart", "presigned", "listing", "conditions"];

describe.each(served)("boto3 over $where", ({ tls, drive }) => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({ tls, drive });
  });
  afterAll(() => gateway?.stop());

  test.concurrent.each(works)("%s", async (work) => {
    const args = [script, work, gateway.endpoint, gateway.certificate ?? "-"];
    expect(await runProgram(python, args, { env: gateway.environment, cwd: gateway.scratch })).toBe("ok\n");
  });
});

describe("boto3 as its users write it", () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({ flags: ["--auth-key", "user,password"] });
  });
  afterAll(() => gateway?.stop());

  test("the snippet for OneDrive runs unchanged", async () => {
    const env = { ...gateway.environment };
    for (const name of Object.keys(env)) if (name.startsWith("AWS_")) delete env[name];
    Object.assign(env, { AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" });
    const args = [script, "snippet", `http://localhost:${gateway.port}`, "-"];
    expect(await runProgram(python, args, { env, cwd: gateway.scratch })).toBe("ok\n");
  });
});
