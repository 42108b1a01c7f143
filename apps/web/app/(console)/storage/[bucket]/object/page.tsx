import type { Metadata } from "next";
import { Card } from "@/components/ui/card";
import { Facts } from "@/components/ui/facts";
import { Page } from "@/components/ui/page";
import { Empty } from "@/components/ui/states";
import { formatBytes, formatTime } from "@/lib/format";
import { requireSession } from "@/lib/server/session";
import { describeObject, type ObjectDescription } from "@/lib/server/storage/object";
import { folderOf, nameOf } from "@/lib/storage-paths";
import { answered } from "../../answered";
import { Breadcrumbs } from "../breadcrumbs";
import { bucketOf, parameterOf, type StoragePageProps } from "../parameters";
import { ObjectActions } from "./object-actions";
import { PreviewCard } from "./preview";
import { VersionsCard } from "./versions";

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
      action={<ObjectActions bucket={bucket} objectKey={key} />}
    >
      <ObjectOf bucket={bucket} objectKey={key} />
    </Page>
  );
}

const ObjectOf = ({ bucket, objectKey }: { bucket: string; objectKey: string }) =>
  answered(
    "The object cannot be read",
    () => describeObject(bucket, objectKey),
    (object) => (object ? <Details bucket={bucket} object={object} /> : <Gone />),
  );

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
    <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1fr)_24rem]">
      <PreviewCard bucket={bucket} object={object} />
      <div className="grid min-w-0 gap-6 xl:row-span-2">
        <FactCard title="Object" facts={facts} />
        <FactCard title="Metadata" facts={metadata} none="It has no metadata of its own." />
        <FactCard title="Tags" facts={tags} none="It has no tags." />
      </div>
      <VersionsCard place={{ bucket, key }} />
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
