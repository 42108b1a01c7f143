import type { Socket } from "node:net";
import { SqlError } from "@overcoat/sources";
import type { CancelKey, CancelKeys } from "./cancel.ts";
import { dispatch, known, types } from "./dispatch.ts";
import type { Logins } from "./logins.ts";
import { Fields, type Message, MessageReader } from "./reader.ts";
import { ScramExchange, scramMechanism, scramPlusMechanism } from "./scram.ts";
import type { OpenSession, Session, StartupParameters } from "./session.ts";
import { newestVersion, readStartup } from "./startup.ts";
import type { Tls } from "./tls.ts";
import { MessageWriter } from "./writer.ts";

/** What all connections share. */
export interface ConnectionContext {
  readonly logins: Logins;
  readonly cancelKeys: CancelKeys;
  readonly tls: Tls | undefined;
  readonly openSession: OpenSession;
  /** Takes a place among the sessions; what it returns gives it back. @throws SqlError 53300 when all are taken */
  readonly admit: () => () => void;
  readonly log: (entry: object) => void;
  readonly limits: Limits;
}

export interface Limits {
  /** Milliseconds until a client must have proved who it is. */
  readonly startup: number;
  /** Milliseconds that a statement may take; 0 for any time. */
  readonly statement: number;
  /** Milliseconds in which a client that is sent something must take some of it. */
  readonly stalled: number;
  /** Bytes of a message. */
  readonly message: number;
}

/** Bytes of a start-up packet, which holds the options of the linked server, and of authentication messages. */
const startupBytes = 64 * 1024;
/** Bytes that a client may send ahead while its statement runs. */
const ahead = 256 * 1024;
const keepAliveAfter = 60_000;
/** Milliseconds in which a client may take its last message before the connection is cut. */
const lingering = 2000;
const tlsHandshake = 0x16;
const [longKey, shortKey] = [32, 4];

type Phase = "startup" | "sasl" | "sasl final" | "ready" | "closed";

const passwordType = "p".charCodeAt(0);

/** One client: from its first byte to its last it speaks the protocol and hands statements to a session. */
export class ClientConnection {
  readonly closed: Promise<void>;
  readonly #context: ConnectionContext;
  readonly #reader = new MessageReader(startupBytes);
  readonly #writer: MessageWriter;
  readonly #startupTimer: NodeJS.Timeout;
  #socket: Socket;
  #phase: Phase = "startup";
  #encrypted = false;
  #busy = false;
  /** A complete answer was written, which must not wait for that of the next statement. */
  #answered = false;
  /** Messages are passed over until Sync. */
  #skipping = false;
  #draining = false;
  #parameters: StartupParameters = new Map();
  #version = newestVersion;
  #scram: ScramExchange | undefined;
  #cancelKey: CancelKey | undefined;
  #session: Session | undefined;
  /** Of the statement that is waited for. */
  #running: AbortController | undefined;
  /** Of the next message; used again after one that needed no waiting. */
  #next: AbortController | undefined;
  #leave: (() => void) | undefined;
  #settle!: () => void;

  constructor(socket: Socket, context: ConnectionContext) {
    this.#socket = socket;
    this.#context = context;
    this.#writer = new MessageWriter(socket, context.limits.stalled);
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#startupTimer = setTimeout(() => this.#end(tooSlow()), context.limits.startup);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveAfter);
    this.#listen(socket);
  }

  /** Ends the connection as soon as no statement and no transaction is open. */
  drain(): void {
    this.#draining = true;
    if (!this.#busy && this.#session?.status !== "T") this.#end(shuttingDown());
  }

  /** Ends the connection now, a running statement with it. */
  terminate(): void {
    this.#running?.abort(shuttingDown());
    this.#end(shuttingDown());
  }

  #listen(socket: Socket): void {
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("end", () => socket.end());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#closed());
  }

  #receive(chunk: Buffer): void {
    if (this.#phase === "closed") return;
    this.#reader.push(chunk);
    if (!this.#busy) this.#work();
    else if (this.#reader.buffered > ahead) this.#socket.pause();
  }

  /** Takes up messages until there are no more, or until one must be waited for. */
  #work(): void {
    try {
      while (this.#phase !== "closed") {
        const waiting = this.#phase === "startup" ? this.#startup() : this.#message();
        if (waiting === undefined) break;
        if (!waiting) continue;
        if (this.#answered) this.#flush();
        this.#hold(waiting);
        return;
      }
      this.#flush();
      if (this.#phase !== "closed" && this.#writer.full) this.#hold(this.#writer.drained());
    } catch (error) {
      this.#end(asSqlError(error, this.#context.log));
    }
  }

  #flush(): void {
    this.#answered = false;
    this.#writer.flush();
  }

  #hold(waiting: Promise<void>): void {
    this.#busy = true;
    waiting.then(
      () => this.#resume(),
      () => this.#socket.destroy(),
    );
  }

  #resume(): void {
    this.#busy = false;
    if (this.#phase === "closed") return;
    if (this.#draining && this.#session?.status !== "T") this.#end(shuttingDown());
    else this.#work();
    if (!this.#busy && this.#socket.isPaused()) this.#socket.resume();
  }

  /** @returns undefined when there is no whole packet yet */
  #startup(): false | Promise<void> | undefined {
    if (this.#reader.peek() === tlsHandshake && !this.#encrypted && this.#context.tls) {
      this.#encrypt(this.#context.tls);
      return undefined;
    }
    const packet = this.#reader.startup();
    if (!packet) return undefined;
    const startup = readStartup(packet);
    switch (startup.kind) {
      case "gss":
        this.#writer.byte("N");
        return false;
      case "ssl": {
        const { tls } = this.#context;
        if (!tls || this.#encrypted) {
          this.#writer.byte("N");
          return false;
        }
        // Anything sent before the handshake could have been put there by somebody else.
        if (this.#reader.buffered > 0)
          throw new SqlError("08P01", "unencrypted data after the request for TLS");
        this.#writer.byte("S");
        this.#writer.flush();
        this.#encrypt(tls);
        return undefined;
      }
      case "cancel":
        this.#context.cancelKeys.cancel(startup);
        this.#phase = "closed";
        this.#socket.end();
        return undefined;
      case "start": {
        this.#version = Math.min(startup.version, newestVersion);
        if (startup.version > newestVersion || startup.unknown.length > 0)
          this.#writer.negotiateProtocolVersion(this.#version, startup.unknown);
        if (startup.parameters.has("replication"))
          throw new SqlError("0A000", "replication connections are not possible here");
        this.#leave = this.#context.admit();
        this.#parameters = startup.parameters;
        const plus = this.#encrypted && this.#context.tls?.endPoint;
        this.#writer.saslMechanisms(plus ? [scramPlusMechanism, scramMechanism] : [scramMechanism]);
        this.#phase = "sasl";
        return false;
      }
    }
  }

  #encrypt(tls: Tls): void {
    const plain = this.#socket;
    plain.removeAllListeners("data");
    plain.removeAllListeners("end");
    plain.removeAllListeners("close");
    const sent = this.#reader.drain();
    if (sent.length > 0) plain.unshift(sent);
    this.#socket = tls.wrap(plain);
    this.#writer.socket = this.#socket;
    this.#encrypted = true;
    this.#listen(this.#socket);
  }

  /** @returns undefined when there is no whole message yet, false when it is dealt with */
  #message(): false | Promise<void> | undefined {
    const message = this.#reader.next();
    if (!message) return undefined;
    switch (this.#phase) {
      case "sasl":
        this.#saslFirst(message);
        return false;
      case "sasl final":
        this.#saslFinal(message);
        return false;
      default:
        return this.#answer(message, this.#session!);
    }
  }

  #saslFirst(message: Message): void {
    const fields = new Fields(passwordBody(message));
    const mechanism = fields.text();
    const response = fields.value();
    fields.end();
    const endPoint = this.#encrypted ? this.#context.tls?.endPoint : undefined;
    const verifier = this.#context.logins.find(this.#parameters.get("user")!);
    this.#scram = new ScramExchange(mechanism, verifier, endPoint);
    this.#writer.authentication(11, Buffer.from(this.#scram.first(response ?? "")));
    this.#phase = "sasl final";
  }

  #saslFinal(message: Message): void {
    const user = this.#parameters.get("user")!;
    const final = this.#scram!.final(passwordBody(message).toString());
    if (final === undefined) throw new SqlError("28P01", `password authentication failed for user "${user}"`);
    this.#scram = undefined;
    const session = this.#context.openSession(this.#parameters);
    this.#session = session;
    clearTimeout(this.#startupTimer);
    this.#reader.limit = this.#context.limits.message;
    this.#cancelKey = this.#context.cancelKeys.add(this.#version >= newestVersion ? longKey : shortKey, () =>
      this.#running?.abort(new SqlError("57014", "canceling statement due to user request")),
    );
    this.#writer.authentication(12, Buffer.from(final));
    this.#writer.authentication(0);
    for (const [name, value] of session.parameters) this.#writer.parameterStatus(name, value);
    this.#writer.backendKeyData(this.#cancelKey.process, this.#cancelKey.key);
    this.#writer.readyForQuery(session.status);
    this.#phase = "ready";
  }

  #answer(message: Message, session: Session): false | Promise<void> {
    const { type } = message;
    if (this.#skipping && type !== types.sync && type !== types.terminate) return false;
    this.#next ??= new AbortController();
    try {
      const waiting = this.#dispatch(message, session, this.#next.signal);
      if (waiting) return this.#wait(waiting, type, session);
      this.#ready(type, session);
    } catch (error) {
      this.#fail(error, type, session);
    }
    return false;
  }

  async #wait(waiting: Promise<void>, type: number, session: Session): Promise<void> {
    const running = this.#next!;
    this.#next = undefined;
    this.#running = running;
    const longest = Math.min(
      this.#context.limits.statement || Number.POSITIVE_INFINITY,
      session.statementTimeout || Number.POSITIVE_INFINITY,
    );
    const late = Number.isFinite(longest) && setTimeout(() => running.abort(tooLong()), longest);
    try {
      await waiting;
      this.#ready(type, session);
    } catch (error) {
      this.#fail(error, type, session);
    } finally {
      if (late) clearTimeout(late);
      this.#running = undefined;
    }
  }

  #ready(type: number, session: Session): void {
    if (type !== types.query && type !== types.sync) return;
    this.#skipping = false;
    this.#answered = true;
    this.#writer.readyForQuery(session.status);
    if (this.#draining && session.status !== "T") this.#end(shuttingDown());
  }

  #fail(error: unknown, type: number, session: Session): void {
    if (this.#phase === "closed") return;
    this.#writer.error(session.fail(error));
    if (type === types.query || type === types.sync) this.#ready(type, session);
    else this.#skipping = true;
  }

  #dispatch(message: Message, session: Session, signal: AbortSignal): void | Promise<void> {
    const { type } = message;
    if (!known.has(type)) return this.#end(new SqlError("08P01", `invalid frontend message type ${type}`));
    if (type !== types.terminate) return dispatch(message, session, this.#writer, signal);
    this.#phase = "closed";
    this.#writer.flush();
    this.#socket.end();
  }

  /** Tells the client why, and ends the connection. */
  #end(error: SqlError): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    if (error.sqlState.startsWith("28"))
      this.#context.log({
        level: "warn",
        msg: "SQL connection refused",
        error: error.message,
        client: this.#socket.remoteAddress,
      });
    this.#writer.error(error, "FATAL");
    this.#writer.flush();
    const socket = this.#socket;
    socket.resume();
    socket.end();
    const cut = setTimeout(() => socket.destroy(), lingering);
    socket.once("close", () => clearTimeout(cut));
  }

  #closed(): void {
    this.#phase = "closed";
    clearTimeout(this.#startupTimer);
    if (this.#cancelKey) this.#context.cancelKeys.remove(this.#cancelKey);
    this.#running?.abort(new SqlError("08006", "the client has closed the connection"));
    const closing = this.#session?.close() ?? Promise.resolve();
    closing
      .catch((error) => this.#context.log({ level: "error", msg: "SQL session", error: String(error) }))
      .then(() => {
        this.#leave?.();
        this.#settle();
      });
  }
}

function passwordBody({ type, body }: Message): Buffer {
  if (type !== passwordType) throw new SqlError("08P01", "a SASL response was expected");
  return body;
}

/** What a client that has no session yet is told. */
function asSqlError(error: unknown, log: (entry: object) => void): SqlError {
  if (error instanceof SqlError) return error;
  log({ level: "error", msg: "SQL connection failed", error: String((error as Error)?.stack ?? error) });
  return new SqlError("XX000", "internal error of the SQL server");
}

const tooSlow = () => new SqlError("08006", "the connection was not authenticated in time");
const tooLong = () => new SqlError("57014", "canceling statement due to statement timeout");
const shuttingDown = () =>
  new SqlError("57P01", "terminating connection due to administrator command", {
    hint: "The SQL server is stopping; connect again.",
  });
