import { createClient, ErrorReply, RESP_TYPES } from "@redis/client";
import { lostConnection, timedOut, unreachable } from "../errors.ts";
import { stoppable } from "./stoppable.ts";

/** An argument of a command or a string of a reply: text, or bytes where they are not UTF-8 or asked for. */
export type Bytes = string | Buffer;

/** Name and arguments; in a command that concerns keys the second is the (first) key. */
export type Command = readonly [name: string, ...Bytes[]];

/** As RESP2 has it; a refused command's error stands where its reply would. */
export type Reply = null | Bytes | number | ErrorReply | readonly Reply[];

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Strings come as Buffers; else as text, in which what is not UTF-8 has become U+FFFD. */
  readonly binary?: boolean;
}

/** Sends commands as one pipeline and gives their replies in the same order. */
export type Run = (commands: readonly Command[], options?: RunOptions) => Promise<readonly Reply[]>;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What all servers of one service have in common. */
export interface ClientOptions {
  readonly username?: string;
  readonly password?: string;
  readonly database?: number;
  readonly tls?: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
  };
  /** Throws for an address that is not to be connected to. */
  readonly allow?: (address: string) => Promise<void>;
  /** Milliseconds that connecting, and each pipeline, may take. */
  readonly timeout: number;
}

/** `host:port`, with brackets around an IPv6 address. */
export const addressText = ({ host, port }: Address) => `${host.includes(":") ? `[${host}]` : host}:${port}`;

type Client = ReturnType<typeof newClient>;

/** One Redis server: connected on first use, and again on the next use after its connection was lost. */
export class Node {
  readonly #address: () => Address | Promise<Address>;
  readonly #options: ClientOptions;
  #client: Promise<Client> | undefined;
  #closed = false;

  /** `address` is asked before each connection. */
  constructor(address: () => Address | Promise<Address>, options: ClientOptions) {
    this.#address = address;
    this.#options = options;
  }

  /** @throws SqlError 08001 when the server cannot be reached, 08006 when the connection breaks or stalls. */
  readonly run: Run = (commands, options) => this.#send(this.#connected(), commands, options);

  /** As `run`, but on one connection only, so that what WATCH has told it holds; 08006 once that is lost. */
  pinned(): Run {
    const connecting = this.#connected();
    return (commands, options) => this.#send(connecting, commands, options);
  }

  async #send(
    connecting: Promise<Client>,
    commands: readonly Command[],
    { signal, binary = false }: RunOptions = {},
  ): Promise<readonly Reply[]> {
    signal?.throwIfAborted();
    const client = await stoppable(connecting, signal);
    const options = binary ? binaryReplies : undefined;
    const replies = Promise.all(
      commands.map((command) =>
        client.sendCommand<Reply>(command, options).catch((error: Error) => {
          if (error instanceof ErrorReply) return error;
          throw lostConnection(error);
        }),
      ),
    );
    const { timeout } = this.#options;
    return stoppable(replies, signal, timeout, () => {
      this.#drop(connecting);
      return timedOut(commands[0]![0], timeout);
    });
  }

  close(): void {
    this.#closed = true;
    this.reset();
  }

  /** Ends the connection, if any; the next use makes a new one. */
  reset(): void {
    if (this.#client) this.#drop(this.#client);
  }

  #connected(): Promise<Client> {
    if (this.#client === undefined) {
      const connecting = this.#connect(() => this.#drop(connecting));
      connecting.catch(() => this.#drop(connecting));
      this.#client = connecting;
    }
    return this.#client;
  }

  async #connect(onEnd: () => void): Promise<Client> {
    if (this.#closed) throw lostConnection(new Error("it was closed here"));
    const address = await this.#address();
    // Sentinels and nodes of a cluster tell addresses that nobody has checked.
    await this.#options.allow?.(addressText(address));
    const client = newClient(address, this.#options);
    client.on("error", onEnd);
    const { timeout } = this.#options;
    try {
      const greeted = client.connect().then(() => greet(client));
      await stoppable(greeted, undefined, timeout, () => new Error(`no answer in ${timeout / 1000} s`));
    } catch (error) {
      if (client.isOpen) client.destroy();
      throw unreachable(address, error, this.#options);
    }
    return client;
  }

  #drop(connecting: Promise<Client>): void {
    if (this.#client === connecting) this.#client = undefined;
    connecting.then(
      (client) => client.isOpen && client.destroy(),
      () => undefined,
    );
  }
}

/** Sees that Redis answers, and lets this user do something. */
async function greet(client: Client): Promise<void> {
  await client.sendCommand(["PING"]).catch((error: Error) => {
    if (!error.message.startsWith("NOPERM")) throw error;
  });
}

const binaryReplies = {
  typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.SIMPLE_STRING]: Buffer },
};

function newClient({ host, port }: Address, { tls, timeout, allow: _, ...options }: ClientOptions) {
  const socket = { host, port, connectTimeout: timeout, reconnectStrategy: false } as const;
  return createClient({
    ...options,
    socket: tls ? { ...socket, ...tls, tls: true } : socket,
    RESP: 2,
    // Pipelines have a time-out as a whole: one for each command would be a timer and a signal that outlive its reply.
    commandOptions: { timeout: 0 },
    disableClientInfo: true,
    maintNotifications: "disabled",
  });
}
