import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { SqlError } from "@overcoat/sources";
import { CancelKeys } from "./cancel.ts";
import { ClientConnection, type ConnectionContext, type Limits } from "./connection.ts";
import { type Login, Logins } from "./logins.ts";
import type { OpenSession } from "./session.ts";
import { Tls, type TlsOptions } from "./tls.ts";

export interface Address {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
}

export interface ListenerOptions {
  readonly listen: readonly Address[];
  readonly tls?: TlsOptions;
  readonly logins: readonly Login[];
  readonly openSession: OpenSession;
  readonly log: (entry: object) => void;
  readonly maxConnections: number;
  readonly limits: Limits;
  /** Milliseconds that running statements and transactions get to end when the server closes. */
  readonly graceful: number;
}

/** Connections beyond the sessions: those that start, are told that there is no place, or cancel. */
const spare = 256;
/** Connections that the system keeps until they are accepted. */
const backlog = 1024;

/** Opens a server of PostgreSQL's protocol. @throws when an address cannot be listened on */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const listener = new Listener(options);
  try {
    await listener.open(options);
  } catch (error) {
    await listener.close();
    throw error;
  }
  return listener;
}

export class Listener {
  readonly addresses: Address[] = [];
  readonly #servers: Server[] = [];
  readonly #connections = new Set<ClientConnection>();
  readonly #logins = new Logins();
  readonly #context: ConnectionContext;
  readonly #maxConnections: number;
  readonly #graceful: number;
  #sessions = 0;

  constructor(options: ListenerOptions) {
    this.#maxConnections = options.maxConnections;
    this.#graceful = options.graceful;
    this.#context = {
      logins: this.#logins,
      cancelKeys: new CancelKeys(),
      tls: options.tls && new Tls(options.tls),
      openSession: options.openSession,
      admit: () => this.#admit(),
      log: options.log,
      limits: options.limits,
    };
  }

  async open({ listen, logins }: ListenerOptions): Promise<void> {
    await this.#logins.set(logins);
    for (const address of listen) {
      const server = createServer((socket) => this.#accept(socket));
      Object.assign(server, { maxConnections: this.#maxConnections + spare, dropMaxConnection: true });
      this.#servers.push(server);
      this.addresses.push(await bind(server, address));
    }
  }

  /** Takes these logins in place of those before; sessions that have begun go on. @throws SqlError 22023 */
  setLogins(logins: readonly Login[]): Promise<void> {
    return this.#logins.set(logins);
  }

  /** Lets open transactions end within the graceful time, tells the clients (57P01) and closes. */
  async close(): Promise<void> {
    const servers = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    const connections = [...this.#connections];
    for (const connection of connections) connection.drain();
    const late = setTimeout(() => {
      for (const connection of this.#connections) connection.terminate();
    }, this.#graceful);
    await Promise.all(connections.map((connection) => connection.closed));
    clearTimeout(late);
    await Promise.all(servers);
  }

  #accept(socket: Socket): void {
    const connection = new ClientConnection(socket, this.#context);
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
  }

  #admit(): () => void {
    if (this.#sessions >= this.#maxConnections)
      throw new SqlError("53300", "sorry, too many clients already", {
        hint: `The SQL server takes ${this.#maxConnections} connections; more servers can stand behind one address.`,
      });
    this.#sessions++;
    return () => {
      this.#sessions--;
    };
  }
}

function bind(server: Server, { host, port }: Address): Promise<Address> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog }, () => {
      server.off("error", reject);
      server.on("error", () => undefined);
      const bound = server.address() as AddressInfo;
      resolve({ host: bound.address, port: bound.port });
    });
  });
}
