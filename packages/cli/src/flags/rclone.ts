/** A flag of `rclone serve s3` that is accepted and does nothing here. */
export interface RcloneFlag {
  readonly name: string;
  readonly takesValue: boolean;
  readonly reason: string;
}

/** Begins the reasons of those flags without which more happens than their users want. */
const notApplied = "NOT APPLIED";
const noCache = "there is no VFS cache; --cache-dir and --cache-size keep what was read from a drive";
const direct = "reads stream straight from the folder or drive, there is nothing to tune";
export const signed = "S3 clients sign each request; give keys with --auth-key or in overcoat.config.ts";
const spooled = "parts are spooled to disk under --data, never held in memory";
const owner = "files belong to the user that runs overcoat";
const everything = `${notApplied}: every file of the remote is served, nothing is filtered`;
const noTransfer = "overcoat serves a remote and makes no transfers of its own";
const noTransferLimit = `${notApplied}: the bandwidth is not limited`;
const noDryRun = `${notApplied}: clients do change the remote; use --read-only to prevent that`;
const noSync = "overcoat serves a remote and compares or synchronizes nothing";
const noUpstream =
  "a folder needs no requests to other servers, and those to a drive go by HTTPS_PROXY and NODE_EXTRA_CA_CERTS";
const noQuestions = "overcoat asks no questions";
const noProfile = "Node.js has profilers of its own";
const noRemoteControl = "there is no remote control; see --admin-addr for health and metrics";

function flags(reason: string, takesValue: boolean, names: string): RcloneFlag[] {
  return names.split(" ").map((name) => ({ name, takesValue, reason }));
}

/** In the order of `rclone serve s3 --help`. */
export const rcloneServeFlags: readonly RcloneFlag[] = [
  ...flags(signed, true, "auth-proxy htpasswd realm salt user-from-header"),
  ...flags(
    "folders show as common prefixes; markers are kept only where a client makes them",
    false,
    "directory-markers",
  ),
  ...flags(spooled, false, "disable-multipart-streaming"),
  ...flags(
    spooled,
    true,
    "multipart-streaming-buffer-limit multipart-streaming-buffer-total multipart-max-uploads",
  ),
  ...flags("unfinished multipart uploads have a fixed expiry", true, "multipart-expiry"),
  ...flags(
    "the ETag is always the MD5 (or S3's own multipart form), as S3 clients expect",
    true,
    "etag-hash",
  ),
  ...flags(owner, true, "gid uid"),
  ...flags("symbolic links are not made", true, "link-perms"),
  ...flags("metadata is stored with the files and not held in memory", true, "metadata-max-objects"),
  ...flags("checksums are always verified", false, "no-checksum"),
  ...flags("modification times come with the file and cost nothing", false, "no-modtime"),
  ...flags("ranges are part of S3 and always served", false, "no-seek"),
  ...flags("names are served as the remote holds them", false, "vfs-block-norm-dupes vfs-case-insensitive"),
  ...flags(
    noCache,
    true,
    "vfs-cache-max-age vfs-cache-min-free-space vfs-cache-mode vfs-cache-poll-interval",
  ),
  ...flags("S3 does not tell the size of the disk", true, "vfs-disk-space-total-size"),
  ...flags("S3 does not tell the size of the disk", false, "vfs-used-is-size"),
  ...flags("changes are seen by time, size and identity, all of them cheap", false, "vfs-fast-fingerprint"),
  ...flags(noCache, true, "vfs-handle-caching vfs-write-back vfs-write-wait vfs-read-wait"),
  ...flags("symbolic links are never followed out of the folder, nor translated", false, "vfs-links"),
  ...flags("metadata is kept with the files", true, "vfs-metadata-extension"),
  ...flags(
    direct,
    true,
    "vfs-read-ahead vfs-read-chunk-size vfs-read-chunk-size-limit vfs-read-chunk-streams",
  ),
  ...flags(
    "listings of a folder are read as they are asked for, and a drive is read at the start",
    false,
    "vfs-refresh",
  ),
  ...flags(everything, false, "delete-excluded ignore-case"),
  ...flags(
    everything,
    true,
    "exclude exclude-from exclude-if-present files-from files-from-raw files-from0 filter filter-from hash-filter include include-from max-age max-depth max-size metadata-exclude metadata-exclude-from metadata-filter metadata-filter-from metadata-include metadata-include-from min-age min-size",
  ),
];

/** Its global flags, which people put beside those. */
const rcloneGlobalFlags: readonly RcloneFlag[] = [
  ...flags(noTransferLimit, true, "bwlimit bwlimit-file tpslimit tpslimit-burst max-transfer max-duration"),
  ...flags(noDryRun, false, "dry-run immutable"),
  ...flags(
    noTransfer,
    true,
    "transfers checkers retries retries-sleep low-level-retries multi-thread-streams multi-thread-cutoff multi-thread-chunk-size multi-thread-write-buffer-size streaming-upload-cutoff stats stats-log-level stats-file-name-length stats-one-line-date-format stats-unit max-stats-groups order-by cutoff-mode max-backlog name-transform partial-suffix metadata-mapper metadata-set",
  ),
  ...flags(
    noTransfer,
    false,
    "progress progress-terminal-title stats-one-line stats-one-line-date metadata inplace error-on-no-transfer human-readable check-first server-side-across-configs no-update-modtime no-update-dir-modtime refresh-times",
  ),
  ...flags(
    noSync,
    true,
    "compare-dest copy-dest backup-dir list-cutoff max-delete max-delete-size suffix track-renames-strategy modify-window",
  ),
  ...flags(
    noSync,
    false,
    "checksum size-only ignore-case-sync ignore-checksum ignore-existing ignore-size ignore-times no-check-dest no-traverse update delete-after delete-before delete-during fix-case ignore-errors suffix-keep-extension track-renames no-unicode-normalization",
  ),
  ...flags(
    noUpstream,
    true,
    "bind timeout contimeout expect-continue-timeout user-agent header header-download header-upload http-proxy ca-cert client-cert client-key client-pass dscp max-connections fs-cache-expire-duration fs-cache-expire-interval disable",
  ),
  ...flags(
    noUpstream,
    false,
    "fast-list use-server-modtime no-check-certificate allow-https-downgrade disable-http-keep-alives disable-http2 no-gzip-encoding use-cookies",
  ),
  ...flags(direct, true, "buffer-size max-buffer-memory"),
  ...flags(direct, false, "use-mmap"),
  ...flags(
    noRemoteControl,
    true,
    "rc-addr rc-user rc-pass rc-htpasswd rc-allow-origin rc-baseurl rc-cert rc-key rc-template rc-client-ca rc-files rc-job-expire-duration rc-job-expire-interval rc-max-header-bytes rc-min-tls-version rc-realm rc-response-header rc-salt rc-server-read-timeout rc-server-write-timeout rc-user-from-header",
  ),
  ...flags(
    noRemoteControl,
    false,
    "rc rc-no-auth rc-web-gui rc-web-gui-no-open-browser rc-serve rc-serve-no-modtime rc-enable-metrics",
  ),
  ...flags(
    "metrics are served on --admin-addr, at /-/metrics",
    true,
    "metrics-addr metrics-allow-origin metrics-baseurl metrics-cert metrics-client-ca metrics-htpasswd metrics-key metrics-max-header-bytes metrics-min-tls-version metrics-pass metrics-realm metrics-response-header metrics-salt metrics-server-read-timeout metrics-server-write-timeout metrics-template metrics-user metrics-user-from-header",
  ),
  ...flags(
    "the log is not rotated; use logrotate with copytruncate",
    true,
    "log-file-max-size log-file-max-age log-file-max-backups",
  ),
  ...flags("the log is not rotated; use logrotate with copytruncate", false, "log-file-compress"),
  ...flags("the log goes to standard error or --log-file", true, "syslog-facility"),
  ...flags("the log goes to standard error or --log-file", false, "syslog log-systemd"),
  ...flags("colours are for terminals only", true, "color"),
  ...flags(noProfile, true, "cpuprofile memprofile"),
  ...flags("use -vv for more of a log", true, "dump"),
  ...flags("use -vv for more of a log", false, "dump-bodies dump-headers"),
  ...flags(noQuestions, false, "ask-password auto-confirm interactive no-console"),
  ...flags("encrypted configurations are not read", true, "password-command"),
  ...flags("what is on its way is kept under --data", true, "temp-dir kv-lock-time"),
  ...flags("every file has a time", true, "default-time"),
  ...flags(
    "symbolic links are never followed out of the folder",
    false,
    "copy-links links skip-links local-links local-zero-size-links",
  ),
  ...flags(
    "the folder is served as it stands",
    false,
    "local-no-check-updated one-file-system local-case-sensitive local-case-insensitive local-no-preallocate local-no-sparse local-no-set-modtime local-no-clone local-nounc local-fatal-if-no-space local-metadata-restore-special-bits local-unicode-normalization skip-specials",
  ),
  ...flags(
    "the folder is served as it stands",
    true,
    "local-description local-encoding local-hashes local-time-type",
  ),
];

const shorthands: Record<string, string> = {
  "-f": "filter",
  "-P": "progress",
  "-L": "copy-links",
  "-l": "links",
  "-n": "dry-run",
  "-c": "checksum",
  "-M": "metadata",
  "-x": "one-file-system",
  "-i": "interactive",
  "-I": "ignore-times",
  "-u": "update",
};
/** Flags that would keep people out: without them somebody else must. */
export const rcloneAccess: ReadonlySet<string> = new Set(["auth-proxy", "htpasswd", "user-from-header"]);
const byName = new Map([...rcloneServeFlags, ...rcloneGlobalFlags].map((flag) => [flag.name, flag]));

/** `-Pv` as `-P -v`, where all of it are flags without a value. */
function separate(arg: string): string[] {
  if (!/^-[A-Za-z]{2,}$/.test(arg)) return [arg];
  const letters = [...arg.slice(1)].map((letter) => `-${letter}`);
  const plain = (one: string) =>
    one === "-v" || one === "-q" || byName.get(shorthands[one] ?? "")?.takesValue === false;
  return letters.every(plain) ? letters : [arg];
}

export interface TakenFlags {
  /** What is for this command. */
  readonly rest: string[];
  /** Names of the flags taken out. */
  readonly taken: ReadonlySet<string>;
  /** One line for each. */
  readonly notes: string[];
  /** A flag that lacks its value. */
  readonly missing?: string;
}

/**
 * Takes rclone's flags that have nothing to do here out of the arguments, and turns Go's `--flag=true` and
 * `--flag=false` of the given booleans into `--flag` and `--no-flag`.
 */
export function takeRcloneFlags(
  args: readonly string[],
  booleans: readonly string[],
  valued: ReadonlySet<string> = new Set(),
): TakenFlags {
  const rest: string[] = [];
  const notes = new Map<string, string>();
  const result = (missing?: string): TakenFlags => ({
    rest,
    taken: new Set(notes.keys()),
    notes: [...notes.values()],
    missing,
  });
  const all = [...args];
  for (let i = 0; i < all.length; i++) {
    all.splice(i, 1, ...separate(all[i]!));
    const arg = all[i]!;
    if (arg === "--") {
      rest.push(...all.slice(i));
      break;
    }
    const match = /^--([a-z0-9-]+)(?:=(.*))?$/s.exec(arg);
    const name = match?.[1] ?? shorthands[arg];
    const flag = name === undefined ? undefined : byName.get(name);
    if (flag) {
      if (flag.takesValue && match?.[2] === undefined && ++i >= all.length) return result(flag.name);
      notes.set(
        flag.name,
        `--${flag.name} is ${flag.reason.startsWith(notApplied) ? "" : "accepted and ignored: "}${flag.reason}`,
      );
    } else if (name === "verbose" && /^\d$/.test(match?.[2] ?? "")) {
      rest.push(...Array.from({ length: Number(match?.[2]) }, () => "-v"));
    } else if (match?.[2] !== undefined && booleans.includes(match[1]!)) {
      const negative = match[1]!.startsWith("no-");
      if (/^(1|t|true)$/i.test(match[2])) rest.push(`--${match[1]}`);
      else if (!/^(0|f|false)$/i.test(match[2])) rest.push(arg);
      else if (!negative) rest.push(`--no-${match[1]}`);
    } else {
      rest.push(arg);
      // The next argument is this flag's value, even when it looks like a flag.
      if (match && match[2] === undefined && valued.has(match[1]!) && i + 1 < all.length)
        rest.push(all[++i]!);
    }
  }
  return result();
}
