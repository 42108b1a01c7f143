import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import { TLSSocket } from "node:tls";

/** What proxies in front of the server tell of a request in `X-Forwarded-For` and `X-Forwarded-Proto`. */
export class Forwarded {
  readonly #trusted = new BlockList();
  readonly #unix: boolean;

  /**
   * @param trusted whose word counts: addresses, networks such as `10.0.0.0/8`, and `unix` for whoever connects to
   *   a Unix socket
   * @throws Error for a malformed one
   */
  constructor(trusted: readonly string[] = []) {
    this.#unix = trusted.includes("unix");
    for (const text of trusted) if (text !== "unix") addNetwork(this.#trusted, text);
  }

  /** Where the request comes from: the last address on its way that is no trusted proxy's; `unix` for a Unix socket. */
  client(request: IncomingMessage): string {
    let client = peerOf(request);
    const hops = list(request.headers["x-forwarded-for"]);
    while (this.#trusts(client)) {
      const hop = hops.pop();
      if (hop === undefined || !isIP(hop)) break;
      client = plain(hop);
    }
    return client;
  }

  /** The scheme by which the client reaches the server, or the proxy before it. */
  scheme(request: IncomingMessage): "http" | "https" {
    if (request.headers["x-forwarded-proto"] !== undefined && this.#trusts(peerOf(request))) {
      const scheme = list(request.headers["x-forwarded-proto"]).pop()?.toLowerCase();
      if (scheme === "http" || scheme === "https") return scheme;
    }
    return request.socket instanceof TLSSocket ? "https" : "http";
  }

  #trusts(address: string): boolean {
    if (address === "unix") return this.#unix;
    return this.#trusted.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  }
}

function addNetwork(networks: BlockList, text: string): void {
  const [, address = "", bits] = /^([\da-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  const most = version === 6 ? 128 : 32;
  if (!version || Number(bits ?? 0) > most) throw new Error(`"${text}" is neither an address nor a network`);
  networks.addSubnet(address, Number(bits ?? most), version === 6 ? "ipv6" : "ipv4");
}

/** Of who is connected. A Unix socket has no address. */
const peerOf = ({ socket }: IncomingMessage) => plain(socket.remoteAddress ?? "unix");

/** An IPv4 address as such where a socket for both versions shows it as IPv6. */
const plain = (address: string) => address.replace(/^::ffff:(?=[\d.]+$)/i, "");

function list(value: string | string[] | undefined): string[] {
  return [value ?? []]
    .flat()
    .join(",")
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
}
