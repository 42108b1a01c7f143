import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { Exchange } from "./context.ts";

/** Bytes a second that a client must send, as long as the server waits for it. */
const leastRate = 100;
/** A piece on its way to a client may be a megabyte: it may take so many times as long as one check. */
const mostStalls = 30;
/** Descriptors kept for everything but connections and their files. */
const ownDescriptors = 200;
/** Descriptors that one request may hold: its connection, a file and a folder. */
const eachConnection = 3;

/** What a connection has moved so far, and whether the server waits for the client. */
interface Pace {
  readonly read: number;
  readonly written: number;
  readonly sends: boolean;
  /** Checks in a row at which the client had not taken what is on its way to it. */
  readonly stalls: number;
}

/** Knows the last request on each connection, and cuts off clients that stand still or trickle. */
export class Connections {
  readonly #last = new Map<Socket, Exchange>();
  #paces = new Map<Socket, Pace>();
  readonly #timer: NodeJS.Timeout;

  /** `within` is in milliseconds; `tooSlow` is told after one to two times that. */
  constructor(within: number, tooSlow: (exchange: Exchange) => void) {
    this.#timer = setInterval(() => this.#check((within / 1000) * leastRate, tooSlow), within).unref();
  }

  begin(exchange: Exchange): void {
    const { socket } = exchange.request;
    if (!this.#last.has(socket)) socket.once("close", () => this.#last.delete(socket));
    this.#last.set(socket, exchange);
  }

  /** The last request on a connection while its answer is not all sent. */
  unanswered(socket: Socket): Exchange | undefined {
    const last = this.#last.get(socket);
    return last && !last.response.writableFinished ? last : undefined;
  }

  #check(least: number, tooSlow: (exchange: Exchange) => void): void {
    const before = this.#paces;
    this.#paces = new Map();
    for (const [socket, exchange] of this.#last) {
      const { request } = exchange;
      const { bytesRead: read, bytesWritten: written } = socket;
      const earlier = before.get(socket);
      const sends = !request.complete && request.readableLength === 0;
      const stalls = socket.writableLength > 0 && earlier?.written === written ? earlier.stalls + 1 : 0;
      this.#paces.set(socket, { read, written, sends, stalls });
      const trickles = sends && earlier?.sends === true && read - earlier.read < least;
      if (trickles || stalls >= mostStalls) tooSlow(exchange);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** As many connections as the process has descriptors for; undefined where the system does not tell. */
export function mostConnections(): number | undefined {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1];
    if (limit === undefined) return undefined;
    return Math.max(16, Math.floor((Number(limit) - ownDescriptors) / eachConnection));
  } catch {
    return undefined;
  }
}
