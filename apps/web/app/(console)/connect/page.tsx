import { ListBucketsCommand } from "@aws-sdk/client-s3";
import type { Metadata } from "next";
import Link from "next/link";
import { Card } from "@/components/ui/card";
import { classes } from "@/components/ui/classes";
import { Code } from "@/components/ui/code";
import { Page } from "@/components/ui/page";
import { connections } from "@/lib/server/connections";
import { environment } from "@/lib/server/environment";
import { requireSession } from "@/lib/server/session";
import { storageClient } from "@/lib/server/storage/client";
import { environmentSnippet, type Place, snippets } from "./snippets";

export const metadata: Metadata = { title: "Connect" };

export default async function ConnectPage({ searchParams }: { searchParams: Promise<{ with?: string }> }) {
  await requireSession();
  const chosen = (await searchParams).with;
  const snippet = snippets.find(({ id }) => id === chosen) ?? snippets[0]!;
  const place = await thisPlace();
  return (
    <Page title="Connect" lead="Programs reach your files by S3 and your services by SQL. Paste and run.">
      <Card title="First, in the shell">
        <div className="grid gap-3 p-5 text-sm">
          <p className="text-soft">
            The secrets stay in{" "}
            <code className="font-mono text-[13px] break-all">{place.connectionFile}</code>, on the machine
            that runs Overcoat: the lines read them there.
          </p>
          <Code text={environmentSnippet(place)} label="environment" />
        </div>
      </Card>
      <Card title="Then">
        <nav aria-label="Programs" className="flex flex-wrap gap-2 px-5 pt-5">
          {snippets.map(({ id, title }) => (
            <Link
              key={id}
              href={`/connect?with=${id}`}
              scroll={false}
              prefetch={false}
              aria-current={id === snippet.id ? "true" : undefined}
              className={classes(
                "rounded-full border px-3.5 py-1 text-sm transition-colors",
                id === snippet.id
                  ? "border-accent bg-accent-soft font-medium"
                  : "border-line text-soft hover:bg-raised hover:text-ink",
              )}
            >
              {title}
            </Link>
          ))}
        </nav>
        <div className="grid gap-3 p-5 text-sm">
          {snippet.install && <Code text={snippet.install} label="installation" />}
          <Code text={snippet.text(place)} label={snippet.title} />
          {snippet.note && <p className="text-soft">{snippet.note}</p>}
        </div>
      </Card>
    </Page>
  );
}

async function thisPlace(): Promise<Place> {
  const { s3, postgres } = await connections();
  const { host, pathname, username } = new URL(postgres.url);
  const { endpoint, region, accessKeyId } = s3;
  return {
    endpoint,
    region,
    accessKeyId,
    bucket: await firstBucket(),
    database: { host, name: pathname.slice(1), user: username },
    connectionFile: environment().connectionFile,
  };
}

async function firstBucket(): Promise<string> {
  try {
    const { Buckets } = await (await storageClient()).send(new ListBucketsCommand({ MaxBuckets: 1 }));
    return Buckets?.[0]?.Name ?? "sample";
  } catch {
    return "sample";
  }
}
