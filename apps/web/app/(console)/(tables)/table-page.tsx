import { type ReactNode, Suspense } from "react";
import { Page } from "@/components/ui/page";
import { Skeleton } from "@/components/ui/states";
import { SearchForm } from "./search-form";

/** A page over one foreign table: a search, and the rows when they arrive. */
export function TablePage({
  title,
  lead,
  path,
  search,
  label,
  children,
}: {
  title: string;
  lead: ReactNode;
  path: string;
  search: string;
  label: string;
  children: ReactNode;
}) {
  return (
    <Page title={title} lead={lead} action={<SearchForm path={path} label={label} value={search} />}>
      <section
        aria-label={title}
        className="min-w-0 overflow-hidden rounded-xl border border-line bg-surface"
      >
        <Suspense key={search} fallback={<RowsSkeleton />}>
          {children}
        </Suspense>
      </section>
    </Page>
  );
}

function RowsSkeleton() {
  return (
    <div role="status" aria-label="Loading" className="grid gap-7 p-5">
      {["a", "b", "c", "d", "e", "f", "g", "h"].map((name) => (
        <Skeleton key={name} />
      ))}
    </div>
  );
}
