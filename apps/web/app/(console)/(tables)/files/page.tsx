import type { Metadata } from "next";
import Link from "next/link";
import { Empty } from "@/components/ui/states";
import { requireSession } from "@/lib/server/session";
import { searchOf } from "../search-form";
import { TableFailure } from "../table-failure";
import { TablePage } from "../table-page";
import { filesAfter } from "./actions";
import { FileTable } from "./file-table";

export const metadata: Metadata = { title: "Files" };

export default async function FilesPage({ searchParams }: { searchParams: Promise<{ q?: string }> }) {
  await requireSession();
  const search = await searchOf(searchParams);
  return (
    <TablePage
      title="Files"
      lead="Objects of one bucket as rows, through the table s3_files."
      path="/files"
      search={search}
      label="Name begins with"
    >
      <Files search={search} />
    </TablePage>
  );
}

async function Files({ search }: { search: string }) {
  const page = await filesAfter(search, "");
  if ("failed" in page) return <TableFailure table="s3_files" failed={page.failed} />;
  if (page.rows.length > 0) return <FileTable search={search} first={page} />;
  return search ? (
    <Empty title="No file has such a name">{`None begins with “${search}”.`}</Empty>
  ) : (
    <Empty title="No files">
      The bucket of this table is empty. The lines under{" "}
      <Link href="/connect" className="text-accent underline">
        Connect
      </Link>{" "}
      upload into it.
    </Empty>
  );
}
