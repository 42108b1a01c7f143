import type { Source } from "@overcoat/sources";
import type { Scratch } from "./query/context.ts";
import { AllowList } from "./session/allow.ts";
import type { Secrets } from "./session/secrets.ts";
import { Services } from "./session/services.ts";
import { openSession } from "./session/session.ts";
import { SpillSpace } from "./transaction/spilling-list.ts";
import { type Address, openListener } from "./wire/listener.ts";
import type { Login } from "./wire/logins.ts";
import type { TlsOptions } from "./wire/tls.ts";

export interface SqlServerOptions {
  readonly listen: readonly Address[];
  /** Without it connections are not encrypted. */
  readonly tls?: TlsOptions;
  readonly logins: readonly Login[];
  readonly sources: readonly Source[];
  /** What `secret 'NAME'` stands for. */
  readonly secrets: Secrets;
  /**
   * Addresses that services may lie at: `host`, `host:port`, `*.domain`, IP addresses and networks such as
   * `10.0.0.0/8`. Default: all but link-local ones and the metadata services of clouds.
   */
  readonly allow?: readonly string[];
  /** The PostgreSQL that evaluates what is not evaluated here. */
  readonly scratch: Scratch;
  /** Called for what an operator should know. */
  readonly log: (entry: object) => void;
  /** Default 1,000. */
  readonly maxConnections?: number;
  /** Milliseconds that a statement may take; default 0, any time. */
  readonly statementTimeout?: number;
  /** Milliseconds that a commit gets to tell how far it came once it was cancelled; default 10 seconds. */
  readonly commitTimeout?: number;
  /** Milliseconds until a client must have proved who it is; default 30 seconds. */
  readonly startupTimeout?: number;
  /** Milliseconds in which a client that is sent rows must take some; default an hour. */
  readonly stalledTimeout?: number;
  /** Milliseconds that a service gets to let us in; default 30 seconds. */
  readonly connectTimeout?: number;
  /** Milliseconds after which a service that nobody uses is left; default 5 minutes. */
  readonly idleTimeout?: number;
  /** Milliseconds that open transactions get to end when the server closes; default 10 seconds. */
  readonly shutdownTimeout?: number;
  /** Bytes of a message, thus of a row to be written; default 256 MiB. */
  readonly maxMessageBytes?: number;
  /** Bytes that one transaction may write; default 256 MiB. */
  readonly maxTransactionBytes?: number;
  /** Bytes of memory for the writes of all transactions, beyond which they go to disk; default 64 MiB. */
  readonly transactionMemory?: number;
  /** Directory for what does not fit; default the system's for temporary files. */
  readonly temporaryDirectory?: string;
}

/** A server of PostgreSQL's protocol that answers what postgres_fdw asks of the sources. */
export interface SqlServer {
  /** As they were bound: with the ports that were found. */
  readonly addresses: readonly Address[];
  /** Takes these logins in place of those before; sessions that have begun go on. */
  setLogins(logins: readonly Login[]): Promise<void>;
  /** Lets open transactions end, tells the clients and leaves the services. */
  close(): Promise<void>;
}

const mebibyte = 1024 * 1024;
const second = 1000;
const minute = 60 * second;

/** @throws when an address cannot be listened on, or an option is malformed */
export async function openSqlServer(options: SqlServerOptions): Promise<SqlServer> {
  const { listen, tls, logins, sources, secrets, scratch, log } = options;
  const services = new Services({
    sources,
    secrets,
    allow: new AllowList(options.allow),
    idle: options.idleTimeout ?? 5 * minute,
    connectTimeout: options.connectTimeout ?? 30 * second,
    log,
  });
  const session = {
    services,
    scratch,
    log,
    commitTimeout: options.commitTimeout ?? 10 * second,
    space: new SpillSpace(options.temporaryDirectory, options.transactionMemory ?? 64 * mebibyte),
    maxBytes: options.maxTransactionBytes ?? 256 * mebibyte,
  };
  const listener = await openListener({
    listen,
    ...(tls && { tls }),
    logins,
    log,
    openSession: (parameters) => openSession(session, parameters),
    maxConnections: options.maxConnections ?? 1000,
    limits: {
      startup: options.startupTimeout ?? 30 * second,
      statement: options.statementTimeout ?? 0,
      stalled: options.stalledTimeout ?? 60 * minute,
      message: options.maxMessageBytes ?? 256 * mebibyte,
    },
    graceful: options.shutdownTimeout ?? 10 * second,
  });
  return {
    addresses: listener.addresses,
    setLogins: (changed) => listener.setLogins(changed),
    async close() {
      await listener.close();
      await services.close();
    },
  };
}
