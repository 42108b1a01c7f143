"use client";

import { File, Folder } from "lucide-react";
import Link from "next/link";
import { type ReactNode, useState } from "react";
import { buttonClasses } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { Empty } from "@/components/ui/states";
import { Table, Td, Th } from "@/components/ui/table";
import { formatBytes, formatTime } from "@/lib/format";
import type { FolderPage } from "@/lib/server/storage/listing";
import { folderPath, nameOf, objectPath } from "@/lib/storage-paths";
import { SelectionActions } from "./selection-actions";

/** A page of what is in a folder: its folders, then its objects. */
export function FolderTable({
  bucket,
  prefix,
  isFirst,
  page: { folders, objects, next },
}: {
  bucket: string;
  prefix: string;
  /** Whether nothing comes before this page. */
  isFirst: boolean;
  page: FolderPage;
}) {
  const rows: readonly Row[] = [
    ...folders.map((folder) => ({ id: `folder ${folder}`, key: folder, isFolder: true })),
    ...objects.map(({ key, size, modified }) => ({
      id: `object ${key}`,
      key,
      isFolder: false,
      size: formatBytes(size),
      changed: modified && formatTime(modified),
    })),
  ];
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const selected = rows.filter(({ id }) => ticked.has(id));
  if (rows.length === 0 && isFirst)
    return (
      <Empty title={prefix ? "This folder is empty" : "This bucket is empty"}>
        Drop files or folders here, or choose them by the buttons above.
      </Empty>
    );
  const tick = (ids: readonly string[], on: boolean) => {
    const now = new Set(ticked);
    for (const id of ids) {
      if (on) now.add(id);
      else now.delete(id);
    }
    setTicked(now);
  };
  const shown = `${rows.length.toLocaleString("en")} shown${next || !isFirst ? "" : ", which is all"}`;
  return (
    <>
      <div className="flex min-h-14 flex-wrap items-center justify-between gap-x-3 gap-y-2 border-b border-line px-5 py-2.5 text-sm text-soft">
        <span role="status">{selected.length > 0 ? `${selected.length} selected` : shown}</span>
        {selected.length > 0 && (
          <SelectionActions
            bucket={bucket}
            prefix={prefix}
            selection={{
              keys: selected.flatMap(({ key, isFolder }) => (isFolder ? [] : [key])),
              folders: selected.flatMap(({ key, isFolder }) => (isFolder ? [key] : [])),
            }}
            onDone={() => setTicked(new Set())}
          />
        )}
      </div>
      <Table label="Objects">
        <thead>
          <tr>
            <Th className="w-11 pr-0 pl-2">
              <Checkbox
                label="Select all that is shown"
                checked={selected.length > 0 && selected.length === rows.length}
                onChange={({ target }) =>
                  tick(
                    rows.map(({ id }) => id),
                    target.checked,
                  )
                }
              />
            </Th>
            <Th className="pl-1">Name</Th>
            <Th className="w-32 min-w-32 text-right">Size</Th>
            <Th className="hidden w-56 min-w-56 sm:table-cell">Changed</Th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <RowOf
              key={row.id}
              row={row}
              href={row.isFolder ? folderPath(bucket, row.key) : objectPath(bucket, row.key)}
              isTicked={ticked.has(row.id)}
              onTick={(on) => tick([row.id], on)}
            />
          ))}
        </tbody>
      </Table>
      {(next || !isFirst) && (
        <nav
          aria-label="Pages of this folder"
          className="flex justify-end gap-2 border-t border-line px-5 py-2.5"
        >
          {!isFirst && <PageLink href={folderPath(bucket, prefix)}>First page</PageLink>}
          {next && <PageLink href={folderPath(bucket, prefix, next)}>Next page</PageLink>}
        </nav>
      )}
    </>
  );
}

interface Row {
  readonly id: string;
  readonly key: string;
  readonly isFolder: boolean;
  readonly size?: string;
  readonly changed?: string;
}

const PageLink = ({ href, children }: { href: string; children: ReactNode }) => (
  <Link href={href} prefetch={false} className={buttonClasses("plain")}>
    {children}
  </Link>
);

function RowOf({
  row: { key, isFolder, size, changed },
  href,
  isTicked,
  onTick,
}: {
  row: Row;
  href: string;
  isTicked: boolean;
  onTick: (on: boolean) => void;
}) {
  const name = nameOf(key);
  const Icon = isFolder ? Folder : File;
  return (
    <tr className="relative hover:bg-raised">
      <Td className="w-11 pr-0 pl-2">
        <Checkbox
          label={`Select ${name}`}
          checked={isTicked}
          onChange={({ target }) => onTick(target.checked)}
        />
      </Td>
      <Td className="w-full max-w-0 pl-1">
        <Link href={href} prefetch={false} className="flex items-center gap-3 after:absolute after:inset-0">
          <Icon className="size-4.5 shrink-0 text-soft" aria-hidden="true" />
          <span className="truncate" title={name}>
            {name}
          </span>
        </Link>
      </Td>
      <Td className="text-right font-mono text-[13px] whitespace-nowrap">{size}</Td>
      <Td className="hidden whitespace-nowrap text-soft sm:table-cell">{changed}</Td>
    </tr>
  );
}
