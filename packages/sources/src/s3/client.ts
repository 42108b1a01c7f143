import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { S3Client } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { Settings } from "./options.ts";

/** Requests that one statement has under way at once. */
export const mostRequests = 32;

/** Sockets of one connection: more than requests, since a body that waits for its reader keeps one. */
const mostSockets = 256;

/** Requests are repeated when the service asks for fewer, or fails, or the connection breaks. */
const attempts = 5;

/** The SDK would write warnings to the console. */
const ignore = () => {};
const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

export function openClient(settings: Settings): S3Client {
  const { endpoint, amazon, region, pathStyle, keys, timeout } = settings;
  const agent = { keepAlive: true, maxSockets: mostSockets };
  return new S3Client({
    region,
    ...(!amazon && { endpoint: endpoint.href }),
    forcePathStyle: pathStyle,
    // Never those of the environment: a server's owner must not borrow the keys of the SQL server's machine.
    credentials: keys ?? { accessKeyId: "", secretAccessKey: "" },
    ...(!keys && { signer: { sign: async (request) => request } }),
    maxAttempts: attempts,
    logger: silent,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: new NodeHttpHandler({
      connectionTimeout: Math.min(timeout, 5000),
      requestTimeout: timeout,
      throwOnRequestTimeout: true,
      socketTimeout: timeout,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
    }),
  });
}
