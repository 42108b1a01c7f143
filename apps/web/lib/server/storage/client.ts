import { S3Client } from "@aws-sdk/client-s3";
import { type Connections, connections } from "../connections.ts";

const kept = globalThis as { overcoatStorage?: { readonly of: string; readonly client: S3Client } };

/** A client of the gateway with the key that `connection.json` has. */
export async function storageClient(): Promise<S3Client> {
  const { s3 } = await connections();
  const of = JSON.stringify(s3);
  if (kept.overcoatStorage?.of !== of) {
    kept.overcoatStorage?.client.destroy();
    kept.overcoatStorage = { of, client: makeClient(s3) };
  }
  return kept.overcoatStorage!.client;
}

/** Of changes, which take as long as the drive behind needs. */
export const patiently = { requestTimeout: 15 * 60_000 };

const makeClient = ({ endpoint, region, accessKeyId, secretAccessKey }: Connections["s3"]) =>
  new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 5000, requestTimeout: 30_000, throwOnRequestTimeout: true },
  });
