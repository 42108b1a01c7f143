import { createHash } from "node:crypto";
import { type Connection, type Options, type Source, SqlError } from "@overcoat/sources";
import type { LinkedServer } from "../link/link.ts";
import { abortable } from "./abortable.ts";
import type { AllowList } from "./allow.ts";
import { secretValues } from "./redaction.ts";
import { resolveOptions, type Secrets } from "./secrets.ts";
import { Tables } from "./tables.ts";

export interface ServicesOptions {
  readonly sources: readonly Source[];
  readonly secrets: Secrets;
  readonly allow: AllowList;
  /** Milliseconds after which a connection that nobody uses is closed. */
  readonly idle: number;
  /** Milliseconds that a service gets to let us in. */
  readonly connectTimeout: number;
  readonly log: (entry: object) => void;
}

/** An open service and what is known of its tables. */
export interface ServiceConnection {
  readonly connection: Connection;
  readonly tables: Tables;
}

interface Shared {
  connection: ServiceConnection | undefined;
  opening: Promise<ServiceConnection> | undefined;
  users: number;
  idleSince: number;
}

/** The connections to services: sessions with equal options share one. */
export class Services {
  readonly #options: ServicesOptions;
  readonly #shared = new Map<string, Shared>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: ServicesOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(), Math.max(options.idle / 2, 10)).unref();
  }

  /**
   * The service behind a linked server, after its secret and its addresses were found to be allowed.
   * @throws SqlError HV00N for a wrapper that is not known here, and what `resolveOptions` and the allow-list throw
   */
  async service({ wrapper, options }: LinkedServer): Promise<Service> {
    const { sources, secrets, allow } = this.#options;
    const source = sources.find(({ name }) => `${name}_fdw` === wrapper);
    if (!source)
      throw new SqlError("HV00N", `the SQL server knows no foreign data wrapper "${wrapper}"`, {
        hint: `It knows ${sources.map(({ name }) => `${name}_fdw`).join(", ")}.`,
      });
    const resolved = resolveOptions(source, options, secrets);
    for (const address of source.addresses(resolved)) await allow.check(address);
    return new Service(this, source, resolved);
  }

  /** The connection for a user more. */
  acquire(
    key: string,
    source: Source,
    options: Options,
    signal: AbortSignal,
  ): ServiceConnection | Promise<ServiceConnection> {
    let shared = this.#shared.get(key);
    if (!shared) {
      shared = { connection: undefined, opening: undefined, users: 0, idleSince: 0 };
      this.#shared.set(key, shared);
    }
    shared.users++;
    return shared.connection ?? this.#open(key, shared, () => this.#connect(source, options), signal);
  }

  release(key: string): void {
    const shared = this.#shared.get(key);
    if (!shared) return;
    shared.users--;
    shared.idleSince = Date.now();
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await Promise.all(Array.from(this.#shared.keys(), (key) => this.#close(key)));
  }

  async #open(
    key: string,
    shared: Shared,
    connect: () => Promise<ServiceConnection>,
    signal: AbortSignal,
  ): Promise<ServiceConnection> {
    shared.opening ??= connect();
    const { opening } = shared;
    try {
      shared.connection = await abortable(opening, signal);
      return shared.connection;
    } catch (error) {
      shared.users--;
      // The next one tries again, also when this one waits for ever.
      if (shared.users === 0 && shared.opening === opening) {
        shared.opening = undefined;
        if (this.#shared.get(key) === shared) this.#shared.delete(key);
        opening.then(dispose, () => undefined);
      }
      throw error;
    }
  }

  /** A name that is looked up again may have got another address. */
  async #connect(source: Source, options: Options): Promise<ServiceConnection> {
    const { allow, connectTimeout } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(tooLate(source)), connectTimeout);
    const connecting = (async () => {
      for (const address of source.addresses(options)) await allow.check(address);
      const connection = await source.connect(options, (address) => allow.check(address));
      return { connection, tables: new Tables(source) };
    })();
    try {
      return await abortable(connecting, late.signal);
    } catch (error) {
      connecting.then(dispose, () => undefined);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #sweep(): void {
    const before = Date.now() - this.#options.idle;
    for (const [key, { users, idleSince }] of this.#shared)
      if (users === 0 && idleSince < before) void this.#close(key);
  }

  async #close(key: string): Promise<void> {
    const shared = this.#shared.get(key);
    this.#shared.delete(key);
    try {
      if (shared?.connection) await dispose(shared.connection);
      else shared?.opening?.then(dispose, () => undefined);
    } catch (error) {
      this.#options.log({ level: "warn", msg: "closing a service", error: String(error) });
    }
  }
}

/** One service with its options. */
export class Service {
  readonly source: Source;
  /** What must not show in errors and logs. */
  readonly secrets: readonly string[];
  readonly #services: Services;
  readonly #options: Options;
  readonly #key: string;

  constructor(services: Services, source: Source, options: Options) {
    this.source = source;
    this.secrets = secretValues(source, options);
    this.#services = services;
    this.#options = options;
    const sorted = Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1));
    this.#key = createHash("sha256")
      .update(JSON.stringify([source.name, sorted]))
      .digest("base64");
  }

  /** Its connection, to be given back by `release`; at once when it is open. @throws SqlError 08001 … */
  acquire(signal: AbortSignal): ServiceConnection | Promise<ServiceConnection> {
    return this.#services.acquire(this.#key, this.source, this.#options, signal);
  }

  release(): void {
    this.#services.release(this.#key);
  }
}

async function dispose({ connection }: ServiceConnection): Promise<void> {
  await connection[Symbol.asyncDispose]();
}

const tooLate = ({ name }: Source) =>
  new SqlError("08001", `the service did not let the SQL server in in time (${name})`, {
    hint: "Look whether its address is right and it can be reached from the SQL server.",
  });
