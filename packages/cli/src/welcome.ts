import type { GeneratedKey } from "./credentials.ts";

// What `overcoat up` prints for people: where all is, and lines to paste.

/** The bucket that it begins with. */
export const sampleBucket = "sample";

export function s3Welcome(endpoint: string, key: GeneratedKey, region: string): string {
  return `
  Endpoint           ${endpoint}
  Region             ${region}
  Access key ID      ${key.accessKeyId}
  Secret access key  ${key.secretAccessKey}

Try it with the AWS command line:

AWS_ACCESS_KEY_ID=${key.accessKeyId} AWS_SECRET_ACCESS_KEY=${key.secretAccessKey} AWS_DEFAULT_REGION=${region} aws --endpoint-url ${endpoint} s3 ls s3://${sampleBucket}

or with boto3:

import boto3
s3 = boto3.client(
    "s3",
    endpoint_url="${endpoint}",
    aws_access_key_id="${key.accessKeyId}",
    aws_secret_access_key="${key.secretAccessKey}",
    region_name="${region}",
)
print(s3.get_object(Bucket="${sampleBucket}", Key="hello.txt")["Body"].read().decode())
`;
}

export function sqlWelcome(url: string, endpoint: string, key: GeneratedKey): string {
  return `
  PostgreSQL         ${url}

Services as tables, in psql:

CREATE EXTENSION IF NOT EXISTS s3_wrapper;
CREATE SERVER s3_server FOREIGN DATA WRAPPER s3_fdw OPTIONS (endpoint '${endpoint}', bucket '${sampleBucket}');
CREATE USER MAPPING FOR PUBLIC SERVER s3_server
  OPTIONS (access_key_id '${key.accessKeyId}', secret_access_key '${key.secretAccessKey}');
CREATE FOREIGN TABLE s3_files (filename TEXT, url TEXT, metadata JSONB) SERVER s3_server;
SELECT filename FROM s3_files;
`;
}

export const consoleBuild = `
The console is being built, as once after each change of it: half a minute or so. All else answers already.
`;

export const consoleWelcome = (url: string, password: string) => `
  Console            ${url}
  Password           ${password}
`;
