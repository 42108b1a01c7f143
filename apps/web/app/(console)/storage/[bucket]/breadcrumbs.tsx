import { ChevronRight } from "lucide-react";
import Link from "next/link";
import { folderPath, nameOf } from "@/lib/storage-paths";

/** The way from the buckets to a page: up to `folder`, which is empty for the bucket itself. */
export function Breadcrumbs({ bucket, folder }: { bucket: string; folder?: string }) {
  const ends = [...(folder ?? "").matchAll(/\//g)].map(({ index }) => index + 1);
  const folders = folder === undefined ? [] : ["", ...ends.map((end) => folder.slice(0, end))];
  const steps = [
    { href: "/storage", name: "Storage" },
    ...folders.map((prefix) => ({
      href: folderPath(bucket, prefix),
      name: prefix ? nameOf(prefix) : bucket,
    })),
  ];
  // In a font all of whose letters have one width nothing moves when the page's own font arrives.
  return (
    <nav aria-label="Folders">
      <ol className="flex flex-wrap items-center gap-1 font-mono text-[13px] text-soft">
        {steps.map(({ href, name }) => (
          <li key={href} className="flex min-w-0 items-center gap-1">
            <Link
              href={href}
              prefetch={false}
              className="break-all underline-offset-4 hover:text-ink hover:underline"
            >
              {name}
            </Link>
            <ChevronRight className="size-4 shrink-0" aria-hidden="true" />
          </li>
        ))}
      </ol>
    </nav>
  );
}
