"use client";

import { Code } from "@/components/ui/code";
import { Facts } from "@/components/ui/facts";
import type { S3File } from "@/integrations/wrappers";
import { formatBytes, formatTime } from "@/lib/format";
import { type Column, RowTable, type RowTableProps } from "../row-table";
import { filesAfter } from "./actions";

const changed = ({ metadata }: S3File) => metadata.last_modified && formatTime(metadata.last_modified);

const columns: readonly Column<S3File>[] = [
  { title: "Name", className: "sm:w-1/2", cell: ({ filename }) => filename },
  {
    title: "Size",
    className: "w-28 text-right tabular-nums",
    cell: ({ metadata }) => formatBytes(metadata.size),
  },
  { title: "Changed", className: "hidden w-52 text-soft sm:table-cell", cell: changed },
];

export function FileTable({ search, first }: { search: string; first: RowTableProps<S3File>["first"] }) {
  return (
    <RowTable
      label="Files"
      columns={columns}
      first={first}
      more={(after) => filesAfter(search, after)}
      keyOf={({ filename }) => filename}
      details={(file) => (
        <>
          <Facts facts={{ Size: formatBytes(file.metadata.size), Changed: changed(file), URL: file.url }} />
          <Code text={JSON.stringify(file.metadata, null, 2)} label="metadata" />
        </>
      )}
    />
  );
}
