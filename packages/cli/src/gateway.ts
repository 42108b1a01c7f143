import { mkdir } from "node:fs/promises";
import { openObjects } from "@overcoat/objects";
import { createS3Server } from "@overcoat/s3";
import { RunError } from "./errors.ts";
import type { Settings } from "./flags/resolve.ts";
import { type Address, formatAddress } from "./flags/values.ts";
import type { Logger } from "./log.ts";
import { mergeMetrics, ofOneProcess } from "./metrics.ts";
import { DriveMetrics } from "./remotes/drive-metrics.ts";
import { openDrive } from "./remotes/open-drive.ts";
import type { Place } from "./remotes/place.ts";
import { readTls } from "./tls.ts";

/** One process's share of the service. */
export interface Gateway {
  readonly ready: boolean;
  /** Where it listens, in the order of the settings. */
  readonly listening: readonly { host: string; port: number }[];
  metrics(): Promise<string>;
  /** As `ServedDrive.map`. */
  map(bucket: string, place: Place): Promise<void>;
  close(graceMs: number): Promise<void>;
}

export async function openGateway(settings: Settings, log: Logger): Promise<Gateway> {
  if (settings.umask !== undefined) process.umask(settings.umask);
  const tls = settings.tls && (await readTls(settings.tls));
  const { region, readOnly, cleanup, data, versions } = settings;
  await mkdir(data, { recursive: true, mode: 0o700 }).catch((error: Error) => {
    throw new RunError(
      `cannot keep index and spool in ${data}: ${error.message}; choose another folder with --data`,
      {
        cause: error,
      },
    );
  });
  const driveMetrics = new DriveMetrics();
  const { drive, map } = await openDrive(settings, log, driveMetrics);
  const objects = await openObjects({ drive, data, cleanup, versions });
  const {
    credentials,
    anonymousRead,
    v2Auth,
    domains,
    allowOrigins,
    baseUrl,
    responseHeaders,
    publicUrl,
    trustedProxies,
  } = settings;
  const { maxHeaderBytes, readTimeout, writeTimeout } = settings;
  // One server for each address, on the same objects.
  const servers = settings.addresses.map((address) =>
    createS3Server({
      objects,
      region,
      credentials,
      anonymousRead,
      v2Auth,
      domains,
      readOnly,
      allowOrigins,
      baseUrl,
      responseHeaders,
      publicUrl,
      trustedProxies,
      maxHeaderBytes,
      readTimeout,
      writeTimeout,
      tls: address.tls === false ? undefined : tls,
      log: (entry: object) => log.entry(entry),
      logRequests: log.tellsRequests,
    }),
  );
  const listening: { host: string; port: number }[] = [];
  const close = async (graceMs: number) => {
    await Promise.all(servers.slice(0, listening.length).map((server) => server.close(graceMs)));
    await objects.close();
  };
  for (const [i, server] of servers.entries()) {
    const address = settings.addresses[i]!;
    // As in Go: one address for the name, and IPv4 first.
    const host = address.host?.toLowerCase() === "localhost" ? "127.0.0.1" : address.host;
    try {
      listening.push(await server.listen({ ...address, host }));
    } catch (error) {
      await close(0).catch(() => {});
      throw listenError(error, address, settings.addressFlag ?? "--addr");
    }
  }
  return {
    get ready() {
      return servers.every((server) => server.ready);
    },
    listening,
    map,
    async metrics() {
      const texts = servers.map((server) => server.metrics());
      return mergeMetrics(await Promise.all([...texts, driveMetrics.text()]), ofOneProcess);
    },
    close,
  };
}

const another = (address: Address) =>
  address.path === undefined
    ? formatAddress({ ...address, port: Math.min(address.port + 1, 65535) })
    : `${address.path}.2`;

export function listenError(error: unknown, address: Address, flag: string): RunError {
  const { code, message } = error as NodeJS.ErrnoException;
  const where = formatAddress(address);
  const reasons: Record<string, string> = {
    EADDRINUSE: `the address ${where} is already in use by another program; choose another with ${flag} (for example ${flag} ${another(address)})`,
    EACCES: `no permission to listen on ${where} (ports below 1024 need rights); choose another with ${flag}`,
    EADDRNOTAVAIL: `this machine has no address ${where}; choose another with ${flag}`,
    ENOTFOUND: `the host of ${where} is unknown; choose another with ${flag}`,
  };
  return new RunError(reasons[code ?? ""] ?? `cannot listen on ${where}: ${message}`, { cause: error });
}
