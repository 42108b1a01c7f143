import { ListBucketsCommand } from "@aws-sdk/client-s3";
import { type CheckResult, checked } from "@/lib/server/checks";
import { connections } from "@/lib/server/connections";
import { storageClient } from "@/lib/server/storage/client";
import { lastSmokeTest } from "./smoke-test";
import type { Step } from "./step";

/** From a drive to an application that reads and writes it by S3. */
export async function storageSteps(): Promise<Step[]> {
  const { endpoint, accessKeyId } = (await connections()).s3;
  const [remote, exposed, credentials] = await Promise.all([
    checked("See what the terminal of Overcoat says about the drive.", hasBuckets),
    checked("Is `overcoat up` running, and does --s3-addr name this address?", () =>
      refusesStrangers(endpoint),
    ),
    checked("Compare the keys in connection.json with those that the gateway was started with.", () =>
      acceptsKey(accessKeyId),
    ),
  ]);
  return [
    { title: "Prepare a remote", how: "Its top-level folders are listed as buckets.", ...remote },
    {
      title: "Expose storage as S3",
      how: "Asked without a key, the gateway answers an XML error.",
      ...exposed,
    },
    {
      title: "Configure credentials",
      how: "Asked with the key, the gateway lists the buckets.",
      ...credentials,
    },
    {
      title: "Grant applications access",
      how: "A small file is uploaded, downloaded, compared and removed.",
      ...smokeTested(),
    },
  ];
}

const listBuckets = async () => {
  const { Buckets = [] } = await (await storageClient()).send(new ListBucketsCommand());
  return Buckets.map(({ Name }) => Name ?? "");
};

async function hasBuckets(): Promise<CheckResult> {
  const names = await listBuckets();
  if (names.length === 0)
    return {
      status: "todo",
      found: "there is no bucket yet",
      advice: "Make a folder in the drive that is served, or `aws s3 mb s3://datasets`.",
    };
  const shown = names.slice(0, 3).join(", ");
  return { status: "good", found: names.length > 3 ? `${shown} and ${names.length - 3} more` : shown };
}

async function refusesStrangers(endpoint: string): Promise<CheckResult> {
  const response = await fetch(endpoint, { signal: AbortSignal.timeout(5000), cache: "no-store" });
  const code = /<Error>.*<Code>(\w+)<\/Code>/s.exec(await response.text())?.[1];
  if (code) return { status: "good", found: `${endpoint} answers ${code}` };
  return {
    status: "bad",
    found: `${endpoint} answers ${response.status} without an XML error`,
    advice: "Another program may listen there: start Overcoat with another --s3-addr.",
  };
}

async function acceptsKey(accessKeyId: string): Promise<CheckResult> {
  await listBuckets();
  return { status: "good", found: `the key ${accessKeyId} is accepted` };
}

function smokeTested(): CheckResult {
  const advice = "Run the test.";
  const last = lastSmokeTest();
  if (!last) return { status: "todo", found: "not tested since the console started", advice };
  if (last.error !== undefined)
    return { status: "bad", found: last.error, advice: "Mend this, then run the test again." };
  return { status: "good", found: `${last.bytes} bytes went there and back in ${last.milliseconds} ms` };
}
