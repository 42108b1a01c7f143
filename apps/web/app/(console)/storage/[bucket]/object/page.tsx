import { Download } from "lucide-react";
import type { Metadata } from "next";
import { buttonClasses } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Facts } from "@/components/ui/facts";
import { Page } from "@/components/ui/page";
import { Empty } from "@/components/ui/states";
import { formatBytes, formatTime } from "@/lib/format";
import { requireSession } from "@/lib/server/session";
import { describeObject, type ObjectDescription } from "@/lib/server/storage/object";
import { contentPath, folderOf, nameOf } from "@/lib/storage-paths";
import { answered } from "../../answered";
import { Breadcrumbs } from "../breadcrumbs";
import { bucketOf, parameterOf, type StoragePageProps } from "../parameters";

export async function generateMetadata({ searchParams }: StoragePageProps): Promise<Metadata> {
  return { title: nameOf(await parameterOf(searchParams, "key")) };
}

export default async function ObjectPage({ params, searchParams }: StoragePageProps) {
  await requireSession();
  const bucket = await bucketOf(params);
  const key = await parameterOf(searchParams, "key");
  return (
    <Page
      title={nameOf(key)}
      path={<Breadcrumbs bucket={bucket} folder={folderOf(key)} />}
      action={
        <a href={contentPath("save", bucket, key)} className={buttonClasses("primary")}>
          <Download aria-hidden="true" />
          Download
        </a>
      }
    >
      {
        await answered(
          "The object cannot be read",
          () => describeObject(bucket, key),
          (object) => (object ? <Details bucket={bucket} object={object} /> : <Gone />),
        )
      }
    </Page>
  );
}

const Gone = () => <Empty title="There is no such object">It may have been deleted or renamed since.</Empty>;

function Details({ bucket, object }: { bucket: string; object: ObjectDescription }) {
  const { key, size, contentType, modified, etag, headers, metadata, tags } = object;
  const facts = {
    Key: key,
    Bucket: bucket,
    Size: size < 1024 ? formatBytes(size) : `${formatBytes(size)} (${size.toLocaleString("en")} bytes)`,
    Type: contentType,
    Changed: modified && formatTime(modified),
    ETag: etag && <span className="font-mono text-[13px]">{etag}</span>,
    ...headers,
  };
  return (
    <div className="grid items-start gap-6 lg:grid-cols-2">
      <FactCard title="Object" facts={facts} />
      <div className="grid gap-6">
        <FactCard title="Metadata" facts={metadata} none="It has no metadata of its own." />
        <FactCard title="Tags" facts={tags} none="It has no tags." />
      </div>
    </div>
  );
}

function FactCard({
  title,
  facts,
  none,
}: {
  title: string;
  facts: Parameters<typeof Facts>[0]["facts"];
  none?: string;
}) {
  return (
    <Card title={title}>
      <div className="p-5">
        {Object.keys(facts).length > 0 ? (
          <Facts facts={facts} />
        ) : (
          <p className="text-sm text-soft">{none}</p>
        )}
      </div>
    </Card>
  );
}
