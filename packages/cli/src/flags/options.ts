import { type Command, Option } from "commander";
import { collect } from "./collect.ts";
import { rcloneServeFlags } from "./rclone.ts";

/** Adds the flags of `serve s3`; `up` has the same save those that it decides itself. */
export function addServeFlags(command: Command, kind: "serve" | "up"): void {
  const all = kind === "serve";
  // A flag that is only there as `--no-…` counts as given, and the configuration would not: its other half keeps it open.
  const hidden = (flag: string) => command.addOption(new Option(flag).hideHelp());
  command.helpOption("-h, --help", "print this help");

  if (!all) addUpFlags(command);
  command.optionsGroup(all ? "Address:" : "S3 gateway:");
  const addr = new Option(
    all ? "--addr <[HOST]:PORT>" : "--s3-addr <[HOST]:PORT>",
    `listen here, repeatable; :9000 means all interfaces, /PATH a Unix socket, http:// before it no TLS (${all ? "RC_S3_ADDR; default 127.0.0.1:8080" : "default 127.0.0.1:9000"})`,
  ).argParser(collect);
  command.addOption(addr);
  if (!all) command.addOption(new Option("--addr <[HOST]:PORT>").argParser(collect).hideHelp());
  command.option("--baseurl <PREFIX>", "serve below this path");
  command.option(
    "--domain <DOMAIN>",
    "serve bucket.DOMAIN as a bucket (virtual-host style), repeatable",
    collect,
  );
  command.option("--no-force-path-style", "serve bucket.localhost and bucket.HOSTNAME as a bucket, too");
  hidden("--force-path-style");
  command.option("--public-url <URL>", "what presigned and shown addresses begin with");
  command.option(
    "--trusted-proxies <ADDRESSES>",
    "proxies whose X-Forwarded-For and -Proto count, by commas: 127.0.0.1, 10.0.0.0/8, unix (default none)",
    collect,
  );
  command.option(
    "--admin-addr <[HOST]:PORT>",
    "serve /-/healthz, /-/readyz and /-/metrics here (default off)",
  );

  if (all) {
    command.optionsGroup("Keys and rights:");
    command.option(
      "--auth-key <ID,SECRET>",
      "a key pair, repeatable; without any only loopback is served",
      collect,
    );
    command.option(
      "--access-key-id <ID>",
      "a key pair in two flags (RC_S3_ACCESS_KEY_ID, AWS_ACCESS_KEY_ID)",
    );
    command.option("--secret-access-key <SECRET>", "(RC_S3_SECRET_ACCESS_KEY, AWS_SECRET_ACCESS_KEY)");
    command.option("--user <ID>", "the same as --access-key-id");
    command.option("--pass <SECRET>", "the same as --secret-access-key");
  } else command.optionsGroup("Rights:");
  command.option(
    "--region <REGION>",
    `region of the signatures and buckets (${all ? "RC_S3_REGION; " : ""}default us-east-1)`,
  );
  command.option(
    "--v2-auth",
    `allow Signature Version 2 too (${all ? "RC_S3_V2_AUTH; default off" : "default on"})`,
  );
  hidden("--no-v2-auth");
  command.option("--read-only", "refuse all changes");
  hidden("--no-read-only");

  command.optionsGroup("HTTP and TLS:");
  command.option("--allow-origin <ORIGIN>", "origin that may make cross-domain requests");
  command.option(
    "--response-header <HEADER>",
    'header "Name: value" set on all answers, repeatable',
    collect,
  );
  command.option("--cert <FILE>", "TLS certificate, PEM, with its CA certificates");
  command.option("--key <FILE>", "TLS private key, PEM");
  command.option("--client-ca <FILE>", "certificate authority that clients must be verified by");
  command.option("--min-tls-version <VERSION>", "tls1.0, tls1.1, tls1.2 or tls1.3 (default tls1.2)");
  command.option("--max-header-bytes <SIZE>", "longest request head, such as 16384 or 64Ki");
  command.option(
    "--server-read-timeout <DURATION>",
    "longest time for a whole request to come in, such as 1h",
  );
  command.option(
    "--server-write-timeout <DURATION>",
    "longest time that a client may send or take next to nothing while it is waited for (default 2m)",
  );

  command.optionsGroup("Folder or drive:");
  if (all)
    command.option(
      "--data <DIR>",
      "index and spool (default ~/.local/share/overcoat, a folder for each remote)",
    );
  command.option("--no-fsync", "do not sync writes to disk before answering");
  hidden("--fsync");
  command.option("--no-cleanup", "keep folders that become empty when an object is deleted");
  hidden("--cleanup");
  command.option("--versions", "let clients list and read the earlier versions that a drive keeps");
  command.option("--umask <OCTAL>", "permission bits to take from new files and folders, such as 022");
  command.option("--file-perms <OCTAL>", "permissions of new files, such as 0666");
  command.option("--dir-perms <OCTAL>", "permissions of new folders, such as 0777");
  command.option(
    "--poll-interval <DURATION>",
    "how often to ask a drive what others changed (default 10s; 0 never); a folder is always current",
  );
  command.option(
    "--cache-dir <DIR>",
    "keep the bytes that were read from a drive here (default off, or DATA/cache with --cache-size)",
  );
  command.option(
    "--cache-size <SIZE>",
    "as many of them, such as 50G; the least used go first (default 10G)",
  );
  command.addOption(new Option("--vfs-cache-max-size <SIZE>", "the same, as rclone calls it").hideHelp());
  command.addOption(
    new Option(
      "--dir-cache-time <DURATION>",
      "accepted as in rclone: what is known of a drive follows it",
    ).hideHelp(),
  );

  command.optionsGroup("Process:");
  const rclone = "or an rclone.conf (default rclone's)";
  command.option(
    "--config <FILE>",
    all
      ? `an overcoat.config.ts (default ./overcoat.config.ts where there is one), ${rclone}`
      : `an overcoat.config.ts, of which sql, remotes and buckets count here (default ./overcoat.config.ts where there is one), ${rclone}`,
  );
  command.option(
    "--workers <N>",
    all
      ? "processes (default the number of cores, for a drive at most 2)"
      : "processes of the S3 gateway (default the number of cores)",
  );
  addLogFlags(command, " (each request)");
}

/** All that `up` serves beside S3. */
function addUpFlags(command: Command): void {
  command.optionsGroup("All:");
  command.option("--data <DIR>", "everything that is kept (default ./overcoat-data)");
  command.option("--demo", "simulated OneDrive, Google Drive, Dropbox and Auth0 too, with sample data");
  command.option(
    "--sql-addr <[HOST]:PORT>",
    "the SQL server listens here, repeatable; beyond this machine with the TLS of overcoat.config.ts only (default 127.0.0.1:54330, or the next free port)",
    collect,
  );
  command.option(
    "--postgres-port <PORT>",
    "PostgreSQL listens here, on 127.0.0.1 (default 54320, or the next free port)",
  );
  command.option(
    "--console-addr <[HOST]:PORT>",
    "the console listens here (default 127.0.0.1:3000, or the next free port)",
  );
  command.option("--no-console", "leave the console out");
}

/** How and where to log. @param info what INFO tells of, in brackets */
export function addLogFlags(command: Command, info = ""): void {
  const hidden = (flag: string) => command.addOption(new Option(flag).hideHelp());
  command.option("--log-format <FORMAT>", "json or pretty (default pretty)");
  hidden("--use-json-log");
  command.option("--log-file <FILE>", "append the log to this file (default standard error)");
  command.option("--log-level <LEVEL>", `DEBUG, INFO${info}, NOTICE or ERROR (default NOTICE)`);
  command.option(
    "-v, --verbose",
    "INFO; twice DEBUG",
    (_: string, before: number | undefined) => (before ?? 0) + 1,
  );
  command.option("-q, --quiet", "ERROR only");
}

export const topHelp = `
Examples:
  overcoat up                                               try it: S3 and PostgreSQL, with lines to paste
  overcoat serve s3 /srv/nas --auth-key ID,SECRET           serve a folder on 127.0.0.1:8080
  overcoat serve s3 onedrive: --auth-key ID,SECRET          serve a drive that rclone config made
  overcoat serve s3 --help                                  all flags of the server
  overcoat serve sql --login USER,PASSWORD                  answer the foreign tables of any PostgreSQL
  overcoat sql install --url postgres://…                   bring the wrappers into a PostgreSQL

Exit codes: 0 stopped cleanly, 1 failed, 2 wrong usage.`;

const names = rcloneServeFlags.map((flag) => `--${flag.name}`);
const lines: string[] = [""];
for (const name of names) {
  if (lines.at(-1)!.length + name.length > 98) lines.push("");
  lines[lines.length - 1] += `${lines.at(-1) === "" ? "  " : " "}${name}`;
}

export const serveHelp = `
Flags win over the variables RC_S3_REMOTE, RC_S3_ADDR, RC_S3_REGION, RC_S3_ACCESS_KEY_ID,
RC_S3_SECRET_ACCESS_KEY and RC_S3_V2_AUTH, and over rclone's own, such as RCLONE_ADDR and
RCLONE_AUTH_KEY='"ID,SECRET"'; these win over overcoat.config.ts, and that over AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY.

Flags of rclone that are accepted and have nothing to do here; each prints one line that says why:
${lines.join("\n")}
  and rclone's global flags, such as --transfers --bwlimit --progress --rc

Examples:
  overcoat serve s3 /srv/nas --addr 127.0.0.1:9900 --auth-key ID,SECRET
  overcoat serve s3 /srv/nas --addr :9000 --auth-key ID,SECRET --v2-auth
  overcoat serve s3 onedrive:datasets --config ./rclone.conf --auth-key ID,SECRET
  overcoat serve s3 /srv/nas --addr :443 --cert tls.pem --key tls.key --domain s3.example.com --auth-key ID,SECRET
  RC_S3_REMOTE=/srv/nas RC_S3_ADDR=:9000 RC_S3_ACCESS_KEY_ID=ID RC_S3_SECRET_ACCESS_KEY=SECRET overcoat serve s3

Exit codes: 0 stopped cleanly, 1 failed, 2 wrong usage.`;

export const upHelp = `
Keys and logins are made at the first start. DIR/connection.json holds them, and where everything is reached, while
it runs. DIR/drive is the folder that is served as S3, DIR/postgres the database.
The environment gives the secrets that foreign servers name: with OVERCOAT_SECRET_AUTH0=… a server's option
\`secret 'AUTH0'\` stands for it, at the addresses in OVERCOAT_SECRET_AUTH0_ADDRESSES (host[:port], by commas), or on
this machine only. overcoat.config.ts has the same under \`sql\`.

Examples:
  overcoat up
  overcoat up --demo
  overcoat up --data /var/lib/overcoat --s3-addr 127.0.0.1:9001 --postgres-port 5433`;
