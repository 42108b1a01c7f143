import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Bytes a second that a client must send or take, as long as the server waits for it. */
const leastRate = 100;
/** Descriptors kept for everything but connections and their files. */
const ownDescriptors = 200;
/** Descriptors that one request may hold: its connection, a file and a folder. */
const eachConnection = 3;

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

interface Pace {
  readonly moved: number;
  readonly waiting: boolean;
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

  begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    if (!this.#last.has(socket)) socket.once("close", () => this.#last.delete(socket));
    this.#last.set(socket, { request, response });
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
      const waiting = (!request.complete && request.readableLength === 0) || socket.writableLength > 0;
      const pace = { moved: socket.bytesRead + socket.bytesWritten, waiting };
      this.#paces.set(socket, pace);
      const earlier = before.get(socket);
      if (waiting && earlier?.waiting && pace.moved - earlier.moved < least) tooSlow(exchange);
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
