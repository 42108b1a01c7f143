import { createHash, getHashes, X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";

/** PEM texts: the certificate with its chain, and its key. */
export interface TlsOptions {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** The server's side of TLS. */
export class Tls {
  /** The binding tls-server-end-point (RFC 5929, section 4); undefined for a certificate that has none. */
  readonly endPoint: Buffer | undefined;
  readonly #context: SecureContext;

  /** @throws when the certificate and the key do not fit */
  constructor(options: TlsOptions) {
    this.#context = createSecureContext({ ...options, minVersion: "TLSv1.2" });
    this.endPoint = serverEndPoint(new X509Certificate(options.cert));
  }

  /** Encrypts the connection; reads and writes before the handshake is done wait for it. */
  wrap(socket: Socket): TLSSocket {
    return new TLSSocket(socket, {
      isServer: true,
      secureContext: this.#context,
      ALPNProtocols: ["postgresql"],
    });
  }
}

/** The certificate's hash by the algorithm of its own signature, SHA-256 in place of MD5 and SHA-1. */
function serverEndPoint(certificate: X509Certificate): Buffer | undefined {
  const match = /(md5|sha\d+)/i.exec(certificate.signatureAlgorithm ?? "");
  if (!match) return undefined;
  const name = match[1]!.toLowerCase();
  const algorithm = name === "md5" || name === "sha1" ? "sha256" : name;
  return getHashes().includes(algorithm) ? createHash(algorithm).update(certificate.raw).digest() : undefined;
}
