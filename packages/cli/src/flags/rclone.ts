/** A flag of `rclone serve s3` that is accepted and does nothing here. */
export interface RcloneFlag {
  readonly name: string;
  readonly takesValue: boolean;
  readonly reason: string;
}

const noCache = "files are served from the folder itself, without a VFS cache";
const direct = "reads stream straight from the file, there is nothing to tune";
const signed = "S3 clients sign each request; give keys with --auth-key or in overcoat.config.ts";
const spooled = "parts are spooled to disk under --data, never held in memory";
const owner = "files belong to the user that runs overcoat";
const everything = "NOT APPLIED: every file of the folder is served, nothing is filtered";
const noTransfer = "overcoat serves a folder and makes no transfers of its own";
const noRemoteControl = "there is no remote control; see --admin-addr for health and metrics";

function flags(reason: string, takesValue: boolean, names: string): RcloneFlag[] {
  return names.split(" ").map((name) => ({ name, takesValue, reason }));
}

/** In the order of `rclone serve s3 --help`, then the global ones that people put beside it. */
export const rcloneFlags: readonly RcloneFlag[] = [
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
  ...flags("names are served as the folder holds them", false, "vfs-block-norm-dupes vfs-case-insensitive"),
  ...flags(
    noCache,
    true,
    "vfs-cache-max-age vfs-cache-min-free-space vfs-cache-mode vfs-cache-poll-interval",
  ),
  ...flags("S3 does not tell the size of the disk", true, "vfs-disk-space-total-size"),
  ...flags("S3 does not tell the size of the disk", false, "vfs-used-is-size"),
  ...flags(
    "changes are seen by time, size and identity, all of them cheap on a folder",
    false,
    "vfs-fast-fingerprint",
  ),
  ...flags(noCache, true, "vfs-handle-caching vfs-write-back vfs-write-wait vfs-read-wait"),
  ...flags("symbolic links are never followed out of the folder, nor translated", false, "vfs-links"),
  ...flags("metadata is kept in extended attributes", true, "vfs-metadata-extension"),
  ...flags(
    direct,
    true,
    "vfs-read-ahead vfs-read-chunk-size vfs-read-chunk-size-limit vfs-read-chunk-streams",
  ),
  ...flags("listings are read from the folder as they are asked for", false, "vfs-refresh"),
  ...flags(everything, false, "delete-excluded ignore-case"),
  ...flags(
    everything,
    true,
    "exclude exclude-from exclude-if-present files-from files-from-raw files-from0 filter filter-from hash-filter include include-from max-age max-depth max-size metadata-exclude metadata-exclude-from metadata-filter metadata-filter-from metadata-include metadata-include-from min-age min-size",
  ),
  ...flags(
    noTransfer,
    true,
    "transfers checkers bwlimit bwlimit-file tpslimit tpslimit-burst retries retries-sleep low-level-retries timeout contimeout multi-thread-streams multi-thread-cutoff user-agent stats stats-log-level order-by max-transfer max-duration cutoff-mode bind",
  ),
  ...flags(
    noTransfer,
    false,
    "progress fast-list checksum size-only dry-run no-check-certificate use-server-modtime no-traverse immutable no-update-modtime stats-one-line metadata",
  ),
  ...flags(direct, true, "buffer-size"),
  ...flags(direct, false, "use-mmap"),
  ...flags(
    noRemoteControl,
    true,
    "rc-addr rc-user rc-pass rc-htpasswd rc-allow-origin rc-baseurl rc-cert rc-key rc-template metrics-addr",
  ),
  ...flags(noRemoteControl, false, "rc rc-no-auth rc-web-gui rc-serve rc-enable-metrics"),
  ...flags("the log goes to standard error", true, "log-file log-file-max-size syslog-facility"),
  ...flags("the log goes to standard error", false, "syslog log-systemd"),
  ...flags("the log format is set with --log-format", false, "use-json-log"),
  ...flags("no password is asked for", false, "ask-password"),
  ...flags("no rclone configuration is read", true, "password-command temp-dir"),
  ...flags("symbolic links are never followed out of the folder", false, "copy-links links skip-links"),
  ...flags(
    "the folder is served as it stands",
    false,
    "local-no-check-updated one-file-system local-case-sensitive local-case-insensitive local-no-preallocate local-no-sparse local-no-set-modtime",
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
};
const byName = new Map(rcloneFlags.map((flag) => [flag.name, flag]));

/**
 * Takes rclone's flags that have nothing to do here out of the arguments, and turns Go's `--flag=true` and
 * `--flag=false` of the given booleans into `--flag` and `--no-flag`.
 * @returns the rest, and one line for each distinct flag taken out.
 */
export function takeRcloneFlags(
  args: readonly string[],
  booleans: readonly string[],
  valued: ReadonlySet<string> = new Set(),
): { rest: string[]; notes: string[]; missing?: string } {
  const rest: string[] = [];
  const notes = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      rest.push(...args.slice(i));
      break;
    }
    const match = /^--([a-z0-9-]+)(?:=(.*))?$/s.exec(arg);
    const name = match?.[1] ?? shorthands[arg];
    const flag = name === undefined ? undefined : byName.get(name);
    if (flag) {
      if (flag.takesValue && match?.[2] === undefined && ++i >= args.length) {
        return { rest, notes: [...notes.values()], missing: flag.name };
      }
      notes.set(flag.name, `--${flag.name} is accepted and ignored: ${flag.reason}`);
    } else if (match?.[2] !== undefined && booleans.includes(match[1]!)) {
      const negative = match[1]!.startsWith("no-");
      if (/^(1|t|true)$/i.test(match[2])) rest.push(`--${match[1]}`);
      else if (!/^(0|f|false)$/i.test(match[2])) rest.push(arg);
      else if (!negative) rest.push(`--no-${match[1]}`);
    } else {
      rest.push(arg);
      // The next argument is this flag's value, even when it looks like a flag.
      if (match && match[2] === undefined && valued.has(match[1]!) && i + 1 < args.length)
        rest.push(args[++i]!);
    }
  }
  return { rest, notes: [...notes.values()] };
}
