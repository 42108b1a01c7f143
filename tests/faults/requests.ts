import { createHash, createHmac, hash } from "node:crypto";
import { Agent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import type { Gateway } from "../gateway.ts";

export type Headers = Record<string, string>;
export type Keys = Pick<Gateway, "port" | "accessKeyId" | "secretAccessKey">;

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
/** Percent-encoding of a string that has one character a byte. */
const encode = (bytes: string) =>
  bytes.replace(
    /[^A-Za-z0-9._~-]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
const decode = (text: string) =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

function canonicalQuery(query: string): string {
  const part = (text: string) => encode(decode(text.replaceAll("+", " ")));
  const pairs = query
    .split("&")
    .filter(Boolean)
    .map((pair) => {
      const [name, ...value] = pair.split("=");
      return [part(name!), part(value.join("="))] as const;
    });
  pairs.sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : 1));
  return pairs.map((pair) => pair.join("=")).join("&");
}

/** The headers of a request with its AWS Signature Version 4, and what signs the chunks of its body. */
export function sign(
  keys: Keys,
  method: string,
  target: string,
  headers: Headers,
  payloadHash: string,
): { headers: Headers; signChunk(data: Buffer): string; signTrailer(lines: string): string } {
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const all: Headers = {
    host: `127.0.0.1:${keys.port}`,
    ...headers,
    "x-amz-date": date,
    "x-amz-content-sha256": payloadHash,
  };
  const names = Object.keys(all).sort();
  const mark = `${target}?`.indexOf("?");
  const canonical = [
    method,
    encode(decode(target.slice(0, mark))).replaceAll("%2F", "/"),
    canonicalQuery(target.slice(mark + 1)),
    ...names.map((name) => `${name}:${all[name]!.trim()}`),
    "",
    names.join(";"),
    payloadHash,
  ].join("\n");
  const key = scope
    .split("/")
    .reduce((one, part) => hmac(one, part), Buffer.from(`AWS4${keys.secretAccessKey}`));
  const signature = (kind: string, rest: string) =>
    hmac(key, `${kind}\n${date}\n${scope}\n${rest}`).toString("hex");
  let previous = signature("AWS4-HMAC-SHA256", hash("sha256", Buffer.from(canonical, "latin1")));
  all.authorization = `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope},SignedHeaders=${names.join(";")},Signature=${previous}`;
  return {
    headers: all,
    signChunk(data) {
      const sum = createHash("sha256").update(data).digest("hex");
      previous = signature("AWS4-HMAC-SHA256-PAYLOAD", `${previous}\n${hash("sha256", "")}\n${sum}`);
      return previous;
    },
    signTrailer(lines) {
      previous = signature("AWS4-HMAC-SHA256-TRAILER", `${previous}\n${hash("sha256", lines)}`);
      return previous;
    },
  };
}

/** The first lines of a request, one character a byte. */
export const head = (method: string, target: string, headers: Headers) =>
  `${method} ${target} HTTP/1.1\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")}\r\n`;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** S3's error code; undefined in an answer that has none. */
  readonly code: string | undefined;
}

const codeOf = (body: Buffer) => /<Code>(.*?)<\/Code>/.exec(body.toString("latin1"))?.[1];

/** Sends a signed request and reads its whole answer. */
export function send(
  keys: Keys,
  method: string,
  target: string,
  options: { headers?: Headers; body?: Buffer | string; payloadHash?: string } = {},
): Promise<Answer> {
  const body = Buffer.from(options.body ?? "");
  const payloadHash = options.payloadHash ?? createHash("sha256").update(body).digest("hex");
  const { headers } = sign(keys, method, target, options.headers ?? {}, payloadHash);
  const length = method === "GET" || method === "HEAD" ? {} : { "content-length": String(body.length) };
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { agent, host: "127.0.0.1", port: keys.port, method, path: target, headers: { ...headers, ...length } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("aborted", () => reject(new Error("The answer was cut off")));
        response.on("end", () => {
          const whole = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: whole,
            code: codeOf(whole),
          });
        });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

export interface RawAnswer {
  /** All that came back until the connection was closed or the wait was over. */
  readonly text: string;
  /** Of the first answer; 0 without one. */
  readonly status: number;
  /** The first line of the first answer. */
  readonly statusLine: string;
  readonly code: string | undefined;
  readonly closed: boolean;
}

/**
 * Sends bytes as they are, on a connection of their own. `after` that it waits for the first answer, reads until
 * the server closes, closes its own side, or cuts the connection; at most `within` milliseconds.
 */
export function sendRaw(
  port: number,
  pieces: readonly (string | Buffer)[],
  options: { after?: "wait" | "read" | "end" | "cut"; within?: number } = {},
): Promise<RawAnswer> {
  const { after = "wait", within = 3000 } = options;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, "127.0.0.1");
    const done = (closed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      const bytes = Buffer.concat(chunks);
      const text = bytes.toString("latin1");
      const final = text.replace(/^(HTTP\/1\.1 100 .*?\r\n\r\n)+/s, "");
      const statusLine = final.slice(0, Math.max(0, final.indexOf("\r\n")));
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1] ?? 0);
      resolve({ text: final, status, statusLine, code: codeOf(bytes), closed });
    };
    const timer = setTimeout(() => done(false), within);
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      if (after === "wait" && isWhole(Buffer.concat(chunks).toString("latin1"))) done(false);
    });
    socket.on("error", () => {});
    socket.on("close", () => done(true));
    socket.on("connect", () => {
      for (const piece of pieces) socket.write(piece, "latin1");
      if (after === "end") socket.end();
      else if (after === "cut") socket.end(() => socket.destroy());
    });
  });
}

/** Whether an answer with a length has all come. */
function isWhole(text: string): boolean {
  const final = text.replace(/^(HTTP\/1\.1 100 .*?\r\n\r\n)+/s, "");
  const end = final.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const length = /^content-length: *(\d+)/im.exec(final.slice(0, end))?.[1];
  return length !== undefined && final.length >= end + 4 + Number(length);
}
