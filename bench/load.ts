import { connect } from "node:net";
import { type RequestShape, signedHead } from "./requests.ts";

export interface Load {
  readonly port: number;
  readonly connections: number;
  /** Sent in turn, again from the first when all are sent, until the time is over. */
  readonly requests: readonly RequestShape[];
  readonly seconds: number;
}

export interface Outcome {
  readonly requests: number;
  readonly seconds: number;
  readonly perSecond: number;
}

interface Prepared {
  readonly head: Buffer;
  readonly body: Buffer | undefined;
}

const headEnd = Buffer.from("\r\n\r\n");
const lastChunk = Buffer.from("0\r\n\r\n");

/**
 * Sends signed requests over kept-alive connections, one at a time on each, as fast as the server answers.
 * Works on raw sockets, so that the client costs little beside the server.
 * @throws Error at the first answer that is no success
 */
export async function load({ port, connections, requests, seconds }: Load): Promise<Outcome> {
  const prepared: Prepared[] = [];
  for (const shape of requests) prepared.push({ head: await signedHead(port, shape), body: shape.body });
  let next = 0;
  let done = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  const more = () => (performance.now() < end ? prepared[next++ % prepared.length] : undefined);
  await Promise.all(Array.from({ length: connections }, () => connection(port, more, () => done++)));
  const elapsed = (performance.now() - start) / 1000;
  return { requests: done, seconds: elapsed, perSecond: done / elapsed };
}

/** Sends the given requests once each. */
export async function send(port: number, requests: readonly RequestShape[], connections = 8): Promise<void> {
  let next = 0;
  const prepared: Prepared[] = [];
  for (const shape of requests) prepared.push({ head: await signedHead(port, shape), body: shape.body });
  await Promise.all(
    Array.from({ length: connections }, () =>
      connection(
        port,
        () => prepared[next++],
        () => {},
      ),
    ),
  );
}

const mostReconnects = 5;

/** One connection's work; it connects again where the server closes it, as clients do. */
function connection(port: number, more: () => Prepared | undefined, answered: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let request = more();
    let reconnects = 0;
    const open = () => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      const answer = new Answer();
      const ask = () => {
        if (!request) {
          resolve();
          socket.destroy();
          return;
        }
        answer.begin(request);
        socket.write(request.head);
        if (request.body) socket.write(request.body);
      };
      socket.on("data", (chunk) => {
        try {
          if (!answer.take(chunk)) return;
        } catch (error) {
          reject(error);
          socket.destroy();
          return;
        }
        reconnects = 0;
        answered();
        request = more();
        socket.cork();
        ask();
        socket.uncork();
      });
      socket.on("connect", () => {
        socket.cork();
        ask();
        socket.uncork();
      });
      socket.on("error", () => {});
      socket.on("close", () => {
        if (!request) return;
        if (++reconnects > mostReconnects) reject(new Error("The server closes its connections"));
        else open();
      });
    };
    open();
  });
}

/** Follows one answer after the other just far enough to know where it ends. */
class Answer {
  #head: Buffer = Buffer.alloc(0);
  #method = "";
  /** Bytes of the body still to come; undefined while the head is read, -1 for a chunked body. */
  #left: number | undefined;

  begin(request: Prepared): void {
    this.#method = request.head.toString("latin1", 0, 4);
    this.#head = Buffer.alloc(0);
    this.#left = undefined;
  }

  /** @returns whether the answer is complete. @throws Error when it is no success */
  take(chunk: Buffer): boolean {
    if (this.#left === undefined) {
      this.#head = this.#head.length ? Buffer.concat([this.#head, chunk]) : chunk;
      const at = this.#head.indexOf(headEnd);
      if (at < 0) return false;
      const text = this.#head.toString("latin1", 0, at);
      chunk = this.#head.subarray(at + 4);
      const status = Number(text.slice(9, 12));
      if (status === 100) {
        this.#head = Buffer.alloc(0);
        return chunk.length > 0 && this.take(chunk);
      }
      if (status >= 300) throw new Error(`${text}\n${chunk.toString("utf8", 0, 2000)}`);
      const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
      if (this.#method === "HEAD" || status === 204) this.#left = 0;
      else this.#left = length !== undefined ? Number(length) : /chunked/i.test(text) ? -1 : 0;
    }
    if (this.#left === -1) return chunk.subarray(-5).equals(lastChunk);
    this.#left -= chunk.length;
    return this.#left <= 0;
  }
}
