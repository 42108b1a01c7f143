import { isUtf8 } from "node:buffer";
import { SqlError } from "@overcoat/sources";

/** A message of the client: its type is the code of a letter. */
export interface Message {
  readonly type: number;
  /** What follows the length; part of a received chunk, valid for as long as it is referred to. */
  readonly body: Buffer;
}

const empty = Buffer.alloc(0);

/**
 * Cuts what a client sends into messages
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html). A message inside one chunk is not
 * copied; one that spans several is put together once, when it is whole: an announced length takes no memory.
 */
export class MessageReader {
  #current: Buffer = empty;
  #offset = 0;
  readonly #later: Buffer[] = [];
  #laterBytes = 0;
  #limit: number;

  /** @param limit Bytes that a message may have. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  set limit(bytes: number) {
    this.#limit = bytes;
  }

  /** Bytes that were received and not yet taken as messages. */
  get buffered(): number {
    return this.#current.length - this.#offset + this.#laterBytes;
  }

  push(chunk: Buffer): void {
    if (this.#offset === this.#current.length) {
      this.#current = chunk;
      this.#offset = 0;
    } else {
      this.#later.push(chunk);
      this.#laterBytes += chunk.length;
    }
  }

  /** The next whole message, if there is one. @throws SqlError 08P01 for an impossible or too great length. */
  next(): Message | undefined {
    if (!this.#gather(5)) return undefined;
    const type = this.#current[this.#offset]!;
    const length = this.#length(this.#offset + 1);
    if (!this.#gather(1 + length)) return undefined;
    return { type, body: this.#take(5, 1 + length) };
  }

  /** The next start-up packet, which has no type, without its length. @throws SqlError 08P01 as `next` does. */
  startup(): Buffer | undefined {
    if (!this.#gather(4)) return undefined;
    const length = this.#length(this.#offset);
    if (length < 8) throw broken("a start-up packet is too short");
    return this.#gather(length) ? this.#take(4, length) : undefined;
  }

  /** The first byte, left where it is. */
  peek(): number | undefined {
    return this.#current[this.#offset];
  }

  /** All bytes that were not taken; the reader is empty after it. */
  drain(): Buffer {
    this.#gather(this.buffered);
    return this.#take(0, this.buffered);
  }

  #length(at: number): number {
    const length = this.#current.readInt32BE(at);
    if (length < 4) throw broken(`a message cannot have a length of ${length}`);
    if (length > this.#limit)
      throw new SqlError("08P01", `a message of ${length} bytes is over the limit of ${this.#limit} bytes`);
    return length;
  }

  /** Whether so many bytes are there; they then lie in one piece. */
  #gather(bytes: number): boolean {
    if (this.#current.length - this.#offset >= bytes) return true;
    if (this.buffered < bytes) return false;
    this.#current = Buffer.concat([this.#current.subarray(this.#offset), ...this.#later]);
    this.#offset = 0;
    this.#later.length = 0;
    this.#laterBytes = 0;
    return true;
  }

  #take(from: number, to: number): Buffer {
    const body = this.#current.subarray(this.#offset + from, this.#offset + to);
    this.#offset += to;
    return body;
  }
}

/** Reads the fields of a message in order. @throws SqlError 08P01 where the message ends too early. */
export class Fields {
  readonly #body: Buffer;
  #offset = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  get left(): number {
    return this.#body.length - this.#offset;
  }

  int16(): number {
    return this.#body.readInt16BE(this.#skip(2));
  }

  /** A count, which is not negative. */
  count(): number {
    return this.#body.readUInt16BE(this.#skip(2));
  }

  int32(): number {
    return this.#body.readInt32BE(this.#skip(4));
  }

  byte(): number {
    return this.#body[this.#skip(1)]!;
  }

  /** A text that ends with a zero byte. @throws SqlError 22021 when it is not UTF-8. */
  text(): string {
    const end = this.#body.indexOf(0, this.#offset);
    if (end < 0) throw broken("a text has no end");
    const from = this.#offset;
    this.#offset = end + 1;
    return decode(this.#body.subarray(from, end));
  }

  bytes(length: number): Buffer {
    const from = this.#skip(length);
    return this.#body.subarray(from, from + length);
  }

  /** A value with its length before it, -1 for NULL. @throws SqlError 22021 when it is not UTF-8. */
  value(): string | null {
    const length = this.int32();
    return length === -1 ? null : decode(this.bytes(length));
  }

  /** @throws SqlError 08P01 when fields are left. */
  end(): void {
    if (this.left > 0) throw broken("a message is longer than its fields");
  }

  #skip(bytes: number): number {
    if (bytes < 0 || bytes > this.left) throw broken("a message is shorter than its fields");
    const from = this.#offset;
    this.#offset += bytes;
    return from;
  }
}

function decode(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new SqlError("22021", 'invalid byte sequence for encoding "UTF8"');
  const text = bytes.toString();
  if (text.includes("\0")) throw new SqlError("22021", 'invalid byte sequence for encoding "UTF8": 0x00');
  return text;
}

const broken = (what: string) => new SqlError("08P01", `invalid frontend message: ${what}`);
