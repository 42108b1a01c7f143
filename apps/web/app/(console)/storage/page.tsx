import type { Metadata } from "next";
import Link from "next/link";
import { Suspense } from "react";
import { Page } from "@/components/ui/page";
import { Panel } from "@/components/ui/panel";
import { Empty, RowsSkeleton } from "@/components/ui/states";
import { Table, Td, Th } from "@/components/ui/table";
import { formatTime } from "@/lib/format";
import { requireSession } from "@/lib/server/session";
import { listBuckets } from "@/lib/server/storage/listing";
import { folderPath } from "@/lib/storage-paths";
import { answered } from "./answered";

export const metadata: Metadata = { title: "Storage" };

export default async function StoragePage() {
  await requireSession();
  return (
    <Page title="Storage" lead="The buckets of all remotes. Open one to see, upload and share what is in it.">
      <Panel label="All buckets">
        <Suspense fallback={<RowsSkeleton />}>
          <Buckets />
        </Suspense>
      </Panel>
    </Page>
  );
}

const Buckets = () =>
  answered("The buckets cannot be listed", listBuckets, (buckets) =>
    buckets.length === 0 ? (
      <Empty title="No buckets">Make a folder in the drive that is served: it is a bucket.</Empty>
    ) : (
      <Table label="Buckets">
        <thead>
          <tr>
            <Th className="sm:w-1/3">Bucket</Th>
            <Th className="hidden sm:table-cell">Remote</Th>
            <Th className="hidden w-56 lg:table-cell">Made</Th>
          </tr>
        </thead>
        <tbody>
          {buckets.map(({ name, created, place }) => (
            <tr key={name} className="relative hover:bg-raised">
              <Td>
                <Link
                  href={folderPath(name, "")}
                  prefetch={false}
                  className="font-medium after:absolute after:inset-0"
                >
                  {name}
                </Link>
              </Td>
              <Td className="hidden text-soft sm:table-cell">{place}</Td>
              <Td className="hidden whitespace-nowrap text-soft lg:table-cell">
                {created && formatTime(created)}
              </Td>
            </tr>
          ))}
        </tbody>
      </Table>
    ),
  );
