import { S3Client } from "@aws-sdk/client-s3";
import type { Gateway } from "../gateway.ts";

/** The SDK's client of a gateway, with its key or another one. */
export const connect = (
  gateway: Gateway,
  credentials: { accessKeyId: string; secretAccessKey: string } = gateway,
): S3Client =>
  new S3Client({
    endpoint: gateway.endpoint,
    region: "us-east-1",
    credentials,
    forcePathStyle: true,
    requestHandler: gateway.agent ? { httpsAgent: gateway.agent } : {},
  });
