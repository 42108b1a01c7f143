import type { Metadata } from "next";
import { Suspense } from "react";
import { Page } from "@/components/ui/page";
import { Panel } from "@/components/ui/panel";
import { RowsSkeleton } from "@/components/ui/states";
import { DropZone } from "@/components/uploads/drop-zone";
import { UploadButtons } from "@/components/uploads/upload-buttons";
import { requireSession } from "@/lib/server/session";
import { listFolder } from "@/lib/server/storage/listing";
import { folderOf, nameOf } from "@/lib/storage-paths";
import { answered } from "../answered";
import { Breadcrumbs } from "./breadcrumbs";
import { FolderTable } from "./folder-table";
import { bucketOf, parameterOf, type StoragePageProps } from "./parameters";

export async function generateMetadata({ params }: StoragePageProps): Promise<Metadata> {
  return { title: await bucketOf(params) };
}

export default async function FolderPage({ params, searchParams }: StoragePageProps) {
  await requireSession();
  const bucket = await bucketOf(params);
  const prefix = await parameterOf(searchParams, "prefix");
  const after = await parameterOf(searchParams, "after");
  return (
    <Page
      title={prefix ? nameOf(prefix) : bucket}
      path={<Breadcrumbs bucket={bucket} folder={prefix ? folderOf(prefix) : undefined} />}
      action={<UploadButtons bucket={bucket} prefix={prefix} />}
    >
      <DropZone bucket={bucket} prefix={prefix}>
        <Panel label="Files and folders">
          <Suspense key={`${prefix}\n${after}`} fallback={<RowsSkeleton />}>
            <Folder bucket={bucket} prefix={prefix} after={after} />
          </Suspense>
        </Panel>
      </DropZone>
    </Page>
  );
}

const Folder = ({ bucket, prefix, after }: { bucket: string; prefix: string; after: string }) =>
  answered(
    "The folder cannot be listed",
    () => listFolder(bucket, prefix, after || undefined),
    (page) => <FolderTable bucket={bucket} prefix={prefix} isFirst={!after} page={page} />,
  );
