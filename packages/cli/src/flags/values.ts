import { Forwarded } from "@overcoat/s3";
import { UsageError } from "../errors.ts";

const durationUnits: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  M: 30 * 86_400_000,
  y: 365 * 86_400_000,
};

/** rclone's durations in milliseconds: `1h`, `1m30s`, `10` (seconds), `off` (undefined). */
export function parseDuration(text: string, flag: string): number | undefined {
  const value = text.trim();
  if (value === "off") return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w|M|y))+$/.test(value)) {
    throw new UsageError(`${flag}: "${text}" is no duration (examples: 10s, 1m30s, 1h)`);
  }
  let total = 0;
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w|M|y)/g)) {
    total += Number(amount) * durationUnits[unit!]!;
  }
  return total;
}

/** rclone's sizes in bytes: `64Ki`, `1.5G`, `512B`, `10` (KiB), `off` (undefined). */
export function parseSize(text: string, flag: string): number | undefined {
  const value = text.trim();
  if (value === "off") return undefined;
  const match = /^(\d+(?:\.\d+)?)(?:(B)|([KMGTPE])(?:i?B?)?)?$/i.exec(value);
  if (!match) throw new UsageError(`${flag}: "${text}" is no size (examples: 64Ki, 10M, 1G, off)`);
  if (match[2]) return Math.floor(Number(match[1]));
  const power = match[3] ? "KMGTPE".indexOf(match[3].toUpperCase()) + 1 : 1;
  return Math.floor(Number(match[1]) * 1024 ** power);
}

/** A plain number of bytes (`4096`) or one with a suffix (`64Ki`). */
export function parseBytes(text: string, flag: string): number {
  const size = /^\d+$/.test(text.trim()) ? Number(text) : parseSize(text, flag);
  if (size === undefined || size <= 0) throw new UsageError(`${flag}: "${text}" must be above zero`);
  return size;
}

/** Octal permission bits: `0666`, `755`. */
export function parseOctal(text: string, flag: string): number {
  if (!/^(0o)?[0-7]{1,5}$/.test(text)) {
    throw new UsageError(`${flag}: "${text}" is no octal number of permissions (example: 0666)`);
  }
  const value = Number.parseInt(text.replace(/^0o/, ""), 8);
  if (value > 0o7777) throw new UsageError(`${flag}: "${text}" is above 7777`);
  return value;
}

export function parseBoolean(text: string, flag: string): boolean {
  if (/^(1|t|true|yes|on)$/i.test(text)) return true;
  if (/^(0|f|false|no|off|)$/i.test(text)) return false;
  throw new UsageError(`${flag}: "${text}" is neither true nor false`);
}

export function parseCount(text: string, flag: string): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) < 1) {
    throw new UsageError(`${flag}: "${text}" must be a whole number from 1`);
  }
  return Number(text);
}

export interface Address {
  /** Undefined: all interfaces. */
  readonly host?: string;
  readonly port: number;
  /** Of a Unix socket; `port` is 0 then. */
  readonly path?: string;
  /** Whether TLS is spoken here; undefined: where there is a certificate. */
  readonly tls?: boolean;
}

/** `:9000`, `127.0.0.1:9900`, `[::1]:9000`, `localhost:9000`. */
export function parseAddress(text: string, flag: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.%a-z]+)\]|([^:[\]/\s]*)):(\d{1,5})$/.exec(text.trim());
  if (!match || Number(match[3]) > 65535) {
    throw new UsageError(`${flag}: "${text}" is no address (examples: :9000, 127.0.0.1:9900, [::1]:9000)`);
  }
  const host = match[1] ?? match[2];
  return host ? { host, port: Number(match[3]) } : { port: Number(match[3]) };
}

/** A TCP port; 0 for any that is free. */
export function parsePort(text: string, flag: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) throw new UsageError(`${flag}: "${text}" is no port`);
  return Number(text);
}

/** As rclone has them, also `unix:///run/s3.sock` or its path alone, and `http://` or `tls://` before an address. */
export function parseListener(text: string, flag: string): Address {
  const path = text.trim().replace(/^unix:\/\//, "");
  if (path.startsWith("/")) return { port: 0, path };
  const [, scheme, rest] = /^(?:(http|tls):\/\/)?(.*)$/s.exec(text.trim())!;
  const address = parseAddress(rest!, flag);
  return scheme === undefined ? address : { ...address, tls: scheme === "tls" };
}

/** Whether only this machine reaches it. */
export function isLoopback(address: Address): boolean {
  if (address.path !== undefined) return true;
  const host = address.host?.toLowerCase();
  if (host === undefined) return false;
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

export function formatAddress(address: Address): string {
  if (address.path !== undefined) return address.path;
  const host = address.host ?? "";
  return `${host.includes(":") ? `[${host}]` : host}:${address.port}`;
}

/** A name such as `s3.example.com`, in lower case. */
export function parseDomain(text: string, flag: string): string {
  const name = text
    .trim()
    .toLowerCase()
    .replace(/^\.+|\.+$/g, "");
  if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name)) {
    throw new UsageError(`${flag}: "${text}" is no domain name (example: s3.example.com)`);
  }
  return name;
}

/** `ID,SECRET`; the secret may hold commas. */
export function parseKeyPair(text: string, flag: string): { accessKeyId: string; secretAccessKey: string } {
  const comma = text.indexOf(",");
  const accessKeyId = text.slice(0, Math.max(comma, 0)).trim();
  const secretAccessKey = comma < 0 ? "" : text.slice(comma + 1);
  if (!accessKeyId || !secretAccessKey) {
    throw new UsageError(`${flag}: must be ACCESS_KEY_ID,SECRET_ACCESS_KEY`);
  }
  return { accessKeyId, secretAccessKey };
}

/** `Name: value`, or rclone's `Name,value` and `Name=value`. */
export function parseHeader(text: string, flag: string): [string, string] {
  const match = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*[:=,]\s*([\t\x20-\x7e\x80-\xff]*)$/.exec(text);
  if (!match) throw new UsageError(`${flag}: "${text}" is no header (example: "X-Frame-Options: DENY")`);
  return [match[1]!, match[2]!.trim()];
}

const tlsVersions: Record<string, string> = {
  "tls1.0": "TLSv1",
  "tls1.1": "TLSv1.1",
  "tls1.2": "TLSv1.2",
  "tls1.3": "TLSv1.3",
};

export function parseTlsVersion(text: string, flag: string): string {
  const version = tlsVersions[text.toLowerCase()];
  if (!version)
    throw new UsageError(`${flag}: "${text}" must be one of ${Object.keys(tlsVersions).join(", ")}`);
  return version;
}

/** Addresses and networks by commas, each text with some. */
export function parseProxies(texts: readonly string[] | undefined, flag: string): string[] {
  const proxies = (texts ?? []).flatMap((text) => text.split(",")).map((proxy) => proxy.trim());
  try {
    new Forwarded(proxies);
  } catch (error) {
    throw new UsageError(`${flag}: ${(error as Error).message} (examples: 127.0.0.1, 10.0.0.0/8, unix)`);
  }
  return proxies;
}

export function parseUrl(text: string, flag: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`${flag}: "${text}" is no http:// or https:// address`);
  }
  return text.replace(/\/+$/, "");
}
