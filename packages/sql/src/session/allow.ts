import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { SqlError } from "@overcoat/sources";

/**
 * Addresses of this machine's own network segment and of cloud metadata services, which give credentials to
 * whoever asks: they are refused unless an entry of the allow-list is that very address or network.
 */
const refused = new BlockList();
refused.addSubnet("169.254.0.0", 16, "ipv4");
refused.addSubnet("fe80::", 10, "ipv6");
// Amazon, Google, Alibaba, Oracle and Azure where it lies outside of the link-local networks.
refused.addAddress("fd00:ec2::254", "ipv6");
refused.addAddress("fd20:ce::254", "ipv6");
refused.addAddress("100.100.100.200", "ipv4");
refused.addAddress("192.0.0.192", "ipv4");
refused.addAddress("168.63.129.16", "ipv4");
// The same, as seen through NAT64.
refused.addSubnet("64:ff9b::a9fe:0", 112, "ipv6");

interface Entry {
  readonly name: string | undefined;
  readonly network: BlockList | undefined;
  readonly port: string | undefined;
}

/**
 * Which addresses services may lie at. Entries are `host`, `host:port`, `*.domain`, an IP address or a network such
 * as `10.0.0.0/8` or `[fd00::]/8`; without a list every address is allowed that is not link-local or a cloud's
 * metadata service. Names are checked together with what they resolve to.
 */
export class AllowList {
  readonly #entries: readonly Entry[] | undefined;

  /** @throws SqlError 22023 for a malformed entry */
  constructor(entries?: readonly string[]) {
    this.#entries = entries?.map(readEntry);
  }

  /** @throws SqlError 42501 for an address that is not allowed, 08001 for a name that does not resolve */
  async check(address: string): Promise<void> {
    const { host, port } = splitAddress(address);
    const resolved = isIP(host) ? [host] : await resolve(host);
    const entries = this.#entries?.filter((entry) => entry.port === undefined || entry.port === port);
    const named = entries?.some(({ name }) => name !== undefined && fits(name, host)) ?? true;
    for (const ip of resolved) {
      const family = isIP(ip) === 6 ? "ipv6" : "ipv4";
      const listed = entries?.some(({ network }) => network?.check(ip, family)) ?? false;
      if (listed || (named && !refused.check(ip, family))) continue;
      throw new SqlError("42501", `the SQL server may not connect to ${address}`, {
        ...(ip !== host && { detail: `${host} is ${ip}.` }),
        hint: "Addresses are allowed in the SQL server's configuration.",
      });
    }
  }
}

/** `host:port`, with brackets around an IPv6 address. */
export function splitAddress(address: string): { host: string; port: string | undefined } {
  const bracket = address.startsWith("[") ? address.indexOf("]") : -1;
  const colon = address.indexOf(":", bracket);
  const isPort = colon >= 0 && colon === address.lastIndexOf(":");
  const [from, to] = bracket > 0 ? [1, bracket] : [0, isPort ? colon : address.length];
  return {
    host: address.slice(from, to).toLowerCase().replace(/\.$/, ""),
    port: isPort ? address.slice(colon + 1) : undefined,
  };
}

function readEntry(text: string): Entry {
  const network = /^(\[[^\]]+\]|[^/]+)\/(\d{1,3})(?::(\d+))?$/.exec(text);
  const { host, port } = network ? splitAddress(network[1]!) : splitAddress(text);
  const version = isIP(host);
  if (!version && !network) return { name: host, network: undefined, port };
  const prefix = network ? Number(network[2]) : version === 6 ? 128 : 32;
  if (!version || prefix > (version === 6 ? 128 : 32))
    throw new SqlError(
      "22023",
      `the allow-list's entry ${JSON.stringify(text)} is no address, name or network`,
    );
  const list = new BlockList();
  list.addSubnet(host, prefix, version === 6 ? "ipv6" : "ipv4");
  return { name: undefined, network: list, port: network?.[3] ?? port };
}

function fits(name: string, host: string): boolean {
  return name.startsWith("*.") ? host.endsWith(name.slice(1)) : host === name || name === "*";
}

async function resolve(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (cause) {
    throw new SqlError("08001", `the host name "${host}" cannot be resolved`, {
      detail: (cause as NodeJS.ErrnoException).code,
      cause,
    });
  }
}
