import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import type { AddressInfo } from "node:net";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createWrappers } from "../../apps/web/integrations/wrappers.ts";
import { type Gateway, startGateway } from "../gateway.ts";
import { type Nginx, startNginx } from "./nginx.ts";

/** deploy/nginx/overcoat.conf before a gateway, in Debian's nginx. */

let gateway: Gateway;
let nginx: Nginx;
let agent: Agent;
let s3: S3Client;
const bucket = "behind";
const host = () => `s3.example.com:${nginx.port}`;
/** Leads the site's name to this machine. */
const lookup = (_: string, options: { all?: boolean }, done: (...result: unknown[]) => void) =>
  options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);

beforeAll(async () => {
  gateway = await startGateway({ flags: ["--trusted-proxies", "127.0.0.1", "-v", "--log-format", "json"] });
  nginx = await startNginx(gateway.port);
  // The certificate of the tests names localhost.
  agent = new Agent({ ca: nginx.ca, servername: "localhost", lookup: lookup as never });
  s3 = new S3Client({
    endpoint: `https://${host()}`,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: gateway.accessKeyId, secretAccessKey: gateway.secretAccessKey },
    requestHandler: { httpsAgent: agent },
  });
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
});
afterAll(async () => {
  s3.destroy();
  agent.destroy();
  await nginx?.[Symbol.asyncDispose]();
  await gateway?.stop();
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

function send(
  method: string,
  url: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent, headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode!, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

describe("signatures hold", () => {
  test.each([
    "plain.txt",
    "with space+plus&and=é😀.txt",
    "percent%2Fencoded%20already",
    "a//b///c",
    "trailing/",
    "quotes'\"()!*~",
    "semicolon;comma,colon:at@",
  ])("for the key %s", async (Key) => {
    const Body = Key.endsWith("/") ? "" : `content of ${Key}`;
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, Metadata: { under_score: "x y" } }));
    const { Body: read } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
    expect(await read!.transformToString()).toBe(Body);
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key }));
    expect(head.Metadata).toEqual({ under_score: "x y" });
  });

  test("of presigned URLs", async () => {
    const { presignDownload, presignUpload, close } = createWrappers({
      database: "postgres://unused",
      storage: { ...gateway, endpoint: `https://${host()}`, bucket },
    });
    const key = "presigned/ü 1+1.txt";
    expect(await send("PUT", await presignUpload(key), "presigned")).toMatchObject({ status: 200 });
    expect(await send("GET", await presignDownload(key))).toEqual({ status: 200, text: "presigned" });
    expect((await send("GET", (await presignDownload(key)).replace("1%2B1", "2%2B1"))).status).toBe(403);
    await close();
  });

  test("of uploads in parts, whose address is told as the client sees it", async () => {
    const Key = "parts.bin";
    const parts = [randomBytes(5 << 20), randomBytes(1 << 20)];
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
    const Parts = [];
    for (const [i, Body] of parts.entries()) {
      const part = { Bucket: bucket, Key, UploadId, PartNumber: i + 1, Body };
      Parts.push({ PartNumber: i + 1, ETag: (await s3.send(new UploadPartCommand(part))).ETag });
    }
    const done = await s3.send(
      new CompleteMultipartUploadCommand({ Bucket: bucket, Key, UploadId, MultipartUpload: { Parts } }),
    );
    expect(done.Location).toBe(`https://${host()}/${bucket}/${Key}`);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
    expect(sha(await Body!.transformToByteArray())).toBe(sha(Buffer.concat(parts)));
  });
});

const sha = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** What the gateway has logged of the request for this path. */
const logged = (path: string) =>
  gateway
    .log()
    .split("\n")
    .filter((line) => line.includes(`"path":"${path}"`))
    .map((line) => JSON.parse(line) as { client: string })
    .at(-1);

test("nobody passes for another client", async () => {
  const forged = { "x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "http" };
  await send("GET", `https://${host()}/through-nginx`, undefined, forged);
  await expect.poll(() => logged("/through-nginx")?.client).toBe("127.0.0.1");
  // From a trusted proxy the same headers count: it is nginx that must not pass them on.
  const direct = await fetch(`${gateway.endpoint}/past-nginx`, { headers: forged });
  await direct.text();
  await expect.poll(() => logged("/past-nginx")?.client).toBe("203.0.113.7");
});

describe("streams", () => {
  /** Whatever is sent to it comes back at once. */
  const echo = createServer((incoming, response) => {
    response.flushHeaders();
    incoming.pipe(response);
  });
  let before: Nginx;
  beforeAll(async () => {
    await new Promise<void>((done) => echo.listen(0, "127.0.0.1", done));
    before = await startNginx((echo.address() as AddressInfo).port);
  });
  afterAll(async () => {
    await before?.[Symbol.asyncDispose]();
    echo.close();
    echo.closeAllConnections();
  });

  test.each([{ "content-length": "2000" }, { "transfer-encoding": "chunked" }])(
    "uploads and downloads with %j, byte by byte",
    async (framing) => {
      const trusted = new Agent({ ca: before.ca, servername: "localhost" });
      const upload = request(`https://127.0.0.1:${before.port}/`, {
        method: "PUT",
        agent: trusted,
        headers: { ...framing, host: "s3.example.com" },
      });
      upload.write("a".repeat(1000));
      const [response] = await new Promise<[IncomingMessage]>((resolve, reject) => {
        upload.once("response", (answer) => resolve([answer]));
        upload.once("error", reject);
      });
      const read = async () => {
        for await (const chunk of response.iterator({ destroyOnReturn: false })) return String(chunk);
      };
      // The first half is back before the second is sent: neither is kept on the way.
      expect(await read()).toBe("a".repeat(1000));
      upload.end("b".repeat(1000));
      expect(await read()).toBe("b".repeat(1000));
      trusted.destroy();
    },
  );
});
