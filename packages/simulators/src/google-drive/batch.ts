import type { Call, Reply } from "../drives/call.ts";
import { boundaryOf, parseHeaders, parseMultipart } from "../drives/multipart.ts";
import { read } from "./body.ts";
import { badRequest, DriveApiError } from "./errors.ts";

const mostCalls = 100;
const mostBytes = 8 * 1024 * 1024;

/**
 * Answers a batch: each call in it is carried out, charged and refused on its own. The answers come in another
 * order than the calls, and name these by their Content-ID.
 * @param run carries out one of them; never throws
 */
export async function batch(call: Call, run: (call: Call) => Promise<Reply>): Promise<Reply> {
  const type = call.headers["content-type"] ?? "";
  const boundary = boundaryOf(type);
  if (!/^multipart\/mixed\b/i.test(type) || !boundary)
    throw badRequest("A batch is multipart/mixed with a boundary.");
  const parts = parseMultipart(await read(call, mostBytes), boundary);
  if (parts.length === 0) throw badRequest("The batch is empty.");
  if (parts.length > mostCalls)
    throw badRequest(`The batch has ${parts.length} calls; ${mostCalls} are the most.`);
  const calls = parts.map(({ headers, body }) => {
    if (!/^application\/http\b/i.test(headers["content-type"] ?? ""))
      throw badRequest("The parts of a batch are application/http.");
    return { id: headers["content-id"], inner: innerCall(call, body) };
  });
  const answers: string[] = [];
  for (const { id, inner } of calls) answers.push(answerOf(id, await run(inner)));
  const mark = "batch_stand-in";
  const body = [...answers.reverse().map((answer) => `--${mark}\r\n${answer}`), `--${mark}--\r\n`].join("");
  return { status: 200, headers: { "content-type": `multipart/mixed; boundary=${mark}` }, body };
}

/** @throws DriveApiError 400 */
function innerCall(outer: Call, bytes: Buffer): Call {
  const end = bytes.indexOf("\r\n");
  const line = bytes.toString("latin1", 0, end === -1 ? bytes.length : end);
  const [, method, url] = /^([A-Z]+) (\/\S+)(?: HTTP\/1\.1)?$/.exec(line.trim()) ?? [];
  if (!method || !url) throw badRequest(`'${line}' is no request line.`);
  if (/^\/upload\//.test(url) || /[?&]alt=media\b/.test(url))
    throw new DriveApiError(400, "badRequest", "Uploads and downloads cannot be in a batch.");
  const { headers, body } = (end === -1 ? undefined : parseHeaders(bytes.subarray(end + 2))) ?? {
    headers: {},
    body: Buffer.alloc(0),
  };
  const [path = "", rawQuery = ""] = url.split("?", 2);
  return {
    method,
    origin: outer.origin,
    path,
    rawQuery,
    query: new URLSearchParams(rawQuery),
    headers: { authorization: outer.headers.authorization, ...headers },
    body: (async function* () {
      yield body;
    })(),
  };
}

function answerOf(id: string | undefined, { status, headers, body }: Reply): string {
  const text = body === undefined ? "" : JSON.stringify(body);
  const lines = [
    "Content-Type: application/http",
    ...(id === undefined ? [] : [`Content-ID: ${id.replace(/^<?/, "$&response-")}`]),
    "",
    `HTTP/1.1 ${status} ${status < 300 ? "OK" : "Refused"}`,
    ...Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    ...(text === "" ? [] : ["Content-Type: application/json; charset=UTF-8"]),
    `Content-Length: ${Buffer.byteLength(text)}`,
    "",
    text,
  ];
  return `${lines.join("\r\n")}\r\n`;
}
