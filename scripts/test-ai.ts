/**
 * `npm run test:ai`: machine-learning libraries read a training set through the gateway, from a stand-in of OneDrive.
 * Their packages take some 8 GB in `.cache/venv-ai`, and so `npm test` leaves them out.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const suite = join(root, "tests/clients/ai");
const venv = join(root, ".cache/venv-ai");
const python = join(venv, "bin/python3");
const command = join(root, "packages/cli/bin/overcoat.js");
/** Milliseconds that one library may take. */
const longest = 600_000;
const clients = [
  "pytorch_s3torchconnector",
  "pytorch_s3fs",
  "huggingface",
  "pyarrow_dataset",
  "duckdb_query",
  "polars_scan",
  "tensorflow_data",
];

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): boolean {
  return spawnSync(program, args, { stdio: "inherit", env, cwd: suite, timeout: longest }).status === 0;
}

function installPackages(): boolean {
  if (!existsSync(python)) {
    mkdirSync(join(root, ".cache"), { recursive: true });
    if (!run("python3", ["-m", "venv", venv])) return false;
  }
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"];
  // pip takes minutes to find versions that agree.
  const uv = ["-m", "uv", "pip", "install", "--quiet", "--python", python, "-r", "requirements.txt"];
  return run(python, pip) && run(python, uv);
}

const started: ChildProcess[] = [];

/** Starts the command, and waits until it prints this. */
async function start(args: readonly string[], printed: string): Promise<void> {
  const child = spawn(process.execPath, [command, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  started.push(child);
  let output = "";
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        output += chunk;
        if (output.includes(printed)) resolve();
      });
    child.once("exit", () => reject(new Error(`overcoat ${args.join(" ")} ended:\n${output}`)));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

let passed = 0;
let failed = 0;
const chosen = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), "overcoat-ai-"));
try {
  if (!installPackages())
    throw new Error("the packages of tests/clients/ai/requirements.txt cannot be installed");
  const config = join(work, "rclone.conf");
  await start(["simulate", "onedrive", "--config", config, "--latency", "20ms"], "has it as onedrive:");
  const address = `127.0.0.1:${await freePort()}`;
  const keys = ["training-key", "training-secret"];
  const flags = [
    "--config",
    config,
    "--addr",
    address,
    "--auth-key",
    keys.join(),
    "--data",
    join(work, "data"),
  ];
  await start(["serve", "s3", "onedrive:", ...flags], "Serving");
  const env = {
    ...process.env,
    AWS_ENDPOINT_URL: `http://${address}`,
    AWS_ACCESS_KEY_ID: keys[0],
    AWS_SECRET_ACCESS_KEY: keys[1],
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    HF_HOME: join(work, "huggingface"),
    HF_HUB_OFFLINE: "1",
  };
  if (!run(python, ["make.py"], env)) throw new Error("the training set cannot be written");
  for (const client of clients.filter((name) => chosen.length === 0 || chosen.includes(name))) {
    console.log(`\n== ${client}`);
    if (run(python, [`${client}.py`], env)) passed += 1;
    else failed += 1;
  }
} finally {
  for (const child of started.reverse()) {
    if (child.exitCode !== null) continue;
    child.kill("SIGTERM");
    await once(child, "close");
  }
  rmSync(work, { recursive: true, force: true });
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
