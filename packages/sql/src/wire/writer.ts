import type { Socket } from "node:net";
import { SqlError } from "@overcoat/sources";

/** A column of a result. */
export interface Field {
  readonly name: string;
  /** As in pg_type, e.g. 25 for text. */
  readonly typeOid: number;
  readonly typeModifier?: number;
}

/** A row of a result as PostgreSQL's text, strings to become UTF-8. */
export type TextRow = readonly (string | Uint8Array | null)[];

/** `I` outside of a transaction, `T` inside, `E` in one that failed. */
export type Status = "I" | "T" | "E";

/** Bytes that are gathered before they go to the socket on their own. */
const flushAt = 64 * 1024;
const startSize = 16 * 1024;
/** A buffer that grew beyond it for one long row is not kept. */
const keptSize = 128 * 1024;
/** Up to this size a copy costs less than a new buffer. */
const copied = 4 * 1024;

const code = (letter: string) => letter.charCodeAt(0);
const D = code("D");

/** Messages without fields. */
const bare = {
  parseComplete: "1",
  bindComplete: "2",
  closeComplete: "3",
  emptyQueryResponse: "I",
  noData: "n",
  portalSuspended: "s",
} as const;

/**
 * Writes the server's messages (https://www.postgresql.org/docs/current/protocol-message-formats.html). They are
 * gathered and leave in one piece with `flush`, or when they have grown large; then `drained` must be awaited
 * before more rows are written.
 */
export class MessageWriter {
  #socket: Socket;
  #buffer = Buffer.allocUnsafeSlow(startSize);
  #length = 0;
  #start = 0;
  readonly #stalledAfter: number;

  /** @param stalledAfter Milliseconds in which a client that is waited for must take something. */
  constructor(socket: Socket, stalledAfter: number) {
    this.#socket = socket;
    this.#stalledAfter = stalledAfter;
  }

  set socket(socket: Socket) {
    this.#socket = socket;
  }

  /** Whether the client takes less than it is sent, or is gone. */
  get full(): boolean {
    return this.#socket.writableNeedDrain || this.#socket.destroyed;
  }

  /** Sends what was gathered. */
  flush(): void {
    if (this.#length === 0) return;
    const bytes = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    if (bytes.length <= copied) {
      this.#socket.write(Buffer.from(bytes));
      return;
    }
    this.#socket.write(bytes);
    // What the system took at once needs no new buffer.
    if (this.#socket.writableLength > 0 || this.#buffer.length > keptSize)
      this.#buffer = Buffer.allocUnsafeSlow(Math.min(this.#buffer.length, keptSize));
  }

  /**
   * Waits until the client has taken enough; ends the connection of one that takes nothing for too long.
   * @throws SqlError 08006 when the connection is closed
   */
  async drained(): Promise<void> {
    const socket = this.#socket;
    if (socket.writableNeedDrain)
      await new Promise<void>((resolve) => {
        let taken = -1;
        const stalled = setInterval(() => {
          const now = socket.bytesWritten - socket.writableLength;
          if (now === taken) socket.destroy();
          taken = now;
        }, this.#stalledAfter);
        const done = () => {
          clearInterval(stalled);
          socket.off("drain", done);
          socket.off("close", done);
          resolve();
        };
        socket.on("drain", done);
        socket.on("close", done);
      });
    if (socket.destroyed) throw new SqlError("08006", "the client has closed the connection");
  }

  /** One byte that is no message: the answer to a request for encryption. */
  byte(letter: string): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = code(letter);
  }

  bare(name: keyof typeof bare): void {
    this.#begin(bare[name]);
    this.#end();
  }

  /** AuthenticationOk is 0; others have data. */
  authentication(kind: number, data?: Uint8Array): void {
    this.#begin("R");
    this.#int32(kind);
    if (data) this.#bytes(data);
    this.#end();
  }

  /** AuthenticationSASL */
  saslMechanisms(names: readonly string[]): void {
    this.#begin("R");
    this.#int32(10);
    for (const name of names) this.#text(name);
    this.#reserve(1);
    this.#buffer[this.#length++] = 0;
    this.#end();
  }

  parameterStatus(name: string, value: string): void {
    this.#begin("S");
    this.#text(name);
    this.#text(value);
    this.#end();
  }

  backendKeyData(process: number, key: Uint8Array): void {
    this.#begin("K");
    this.#int32(process);
    this.#bytes(key);
    this.#end();
  }

  negotiateProtocolVersion(version: number, unknown: readonly string[]): void {
    this.#begin("v");
    this.#int32(version);
    this.#int32(unknown.length);
    for (const name of unknown) this.#text(name);
    this.#end();
  }

  readyForQuery(status: Status): void {
    this.#begin("Z");
    this.#reserve(1);
    this.#buffer[this.#length++] = code(status);
    this.#end();
  }

  commandComplete(tag: string): void {
    this.#begin("C");
    this.#text(tag);
    this.#end();
  }

  parameterDescription(count: number): void {
    this.#begin("t");
    this.#int16(count);
    for (let index = 0; index < count; index++) this.#int32(25);
    this.#end();
  }

  rowDescription(fields: readonly Field[]): void {
    this.#begin("T");
    this.#int16(fields.length);
    for (const { name, typeOid, typeModifier } of fields) {
      this.#text(name);
      // No table and column number; the size of the type is said to vary.
      this.#int32(0);
      this.#int16(0);
      this.#int32(typeOid);
      this.#int16(-1);
      this.#int32(typeModifier ?? -1);
      this.#int16(0);
    }
    this.#end();
  }

  dataRow(row: TextRow): void {
    this.#reserve(7);
    const start = this.#length;
    this.#buffer[start] = D;
    this.#buffer.writeInt16BE(row.length, start + 5);
    this.#length = start + 7;
    for (let index = 0; index < row.length; index++) {
      const value = row[index]!;
      if (value === null) this.#int32(-1);
      else if (typeof value === "string") this.#string(value);
      else {
        this.#int32(value.length);
        this.#bytes(value);
      }
    }
    this.#buffer.writeInt32BE(this.#length - start - 1, start + 1);
    if (this.#length >= flushAt) this.flush();
  }

  /** @param severity FATAL when the connection ends with it. */
  error(error: SqlError, severity: "ERROR" | "FATAL" = "ERROR"): void {
    this.#begin("E");
    this.#field("S", severity);
    this.#field("V", severity);
    this.#field("C", error.sqlState);
    this.#field("M", error.message);
    if (error.detail !== undefined) this.#field("D", error.detail);
    if (error.hint !== undefined) this.#field("H", error.hint);
    this.#reserve(1);
    this.#buffer[this.#length++] = 0;
    this.#end();
  }

  #begin(letter: string): void {
    this.#reserve(5);
    this.#start = this.#length;
    this.#buffer[this.#length] = code(letter);
    this.#length += 5;
  }

  #end(): void {
    this.#buffer.writeInt32BE(this.#length - this.#start - 1, this.#start + 1);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }

  #int16(value: number): void {
    this.#reserve(2);
    this.#buffer.writeInt16BE(value, this.#length);
    this.#length += 2;
  }

  #int32(value: number): void {
    this.#reserve(4);
    this.#buffer.writeInt32BE(value, this.#length);
    this.#length += 4;
  }

  #bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** A string with its length before it. */
  #string(value: string): void {
    // UTF-8 takes at most three bytes a UTF-16 unit.
    this.#reserve(4 + 3 * value.length);
    const written = this.#buffer.write(value, this.#length + 4);
    this.#buffer.writeInt32BE(written, this.#length);
    this.#length += 4 + written;
  }

  /** A string with a zero byte after it; what comes after a zero byte in it is lost. */
  #text(value: string): void {
    this.#reserve(1 + 3 * value.length);
    const zero = value.indexOf("\0");
    this.#length += this.#buffer.write(zero < 0 ? value : value.slice(0, zero), this.#length);
    this.#buffer[this.#length++] = 0;
  }

  #field(letter: string, value: string): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = code(letter);
    this.#text(value);
  }
}
