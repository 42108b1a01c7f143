import { File, Folder } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { buttonClasses } from "@/components/ui/button";
import { Empty } from "@/components/ui/states";
import { Table, Td, Th } from "@/components/ui/table";
import { formatBytes, formatTime } from "@/lib/format";
import type { FolderPage } from "@/lib/server/storage/listing";
import { folderPath, nameOf, objectPath } from "@/lib/storage-paths";

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
  const count = folders.length + objects.length;
  if (count === 0 && isFirst)
    return <Empty title={prefix ? "This folder is empty" : "This bucket is empty"} />;
  return (
    <>
      <Table label="Objects">
        <thead>
          <tr>
            <Th>Name</Th>
            <Th className="text-right">Size</Th>
            <Th className="hidden sm:table-cell">Changed</Th>
          </tr>
        </thead>
        <tbody>
          {folders.map((folder) => (
            <Row key={folder} name={nameOf(folder)} href={folderPath(bucket, folder)} Icon={Folder} />
          ))}
          {objects.map(({ key, size, modified }) => (
            <Row
              key={key}
              name={nameOf(key)}
              href={objectPath(bucket, key)}
              Icon={File}
              size={formatBytes(size)}
              changed={modified && formatTime(modified)}
            />
          ))}
        </tbody>
      </Table>
      <footer className="flex min-h-14 flex-wrap items-center justify-between gap-3 px-5 py-2.5 text-sm text-soft">
        <span>{`${count.toLocaleString("en")} shown${next || !isFirst ? "" : ", which is all"}`}</span>
        <nav aria-label="Pages of this folder" className="flex gap-2">
          {!isFirst && <PageLink href={folderPath(bucket, prefix)}>First page</PageLink>}
          {next && <PageLink href={folderPath(bucket, prefix, next)}>Next page</PageLink>}
        </nav>
      </footer>
    </>
  );
}

const PageLink = ({ href, children }: { href: string; children: ReactNode }) => (
  <Link href={href} prefetch={false} className={buttonClasses("plain")}>
    {children}
  </Link>
);

function Row({
  name,
  href,
  Icon,
  size,
  changed,
}: {
  name: string;
  href: string;
  Icon: typeof File;
  size?: string;
  changed?: string;
}) {
  return (
    <tr className="relative hover:bg-raised">
      <Td className="w-full max-w-0">
        <Link href={href} prefetch={false} className="flex items-center gap-3 after:absolute after:inset-0">
          <Icon className="size-4.5 shrink-0 text-soft" aria-hidden="true" />
          <span className="truncate" title={name}>
            {name}
          </span>
        </Link>
      </Td>
      <Td className="text-right whitespace-nowrap tabular-nums">{size}</Td>
      <Td className="hidden whitespace-nowrap text-soft sm:table-cell">{changed}</Td>
    </tr>
  );
}
