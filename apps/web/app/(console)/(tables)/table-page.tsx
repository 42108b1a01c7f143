import { type ReactNode, Suspense } from "react";
import { Page } from "@/components/ui/page";
import { Panel } from "@/components/ui/panel";
import { RowsSkeleton } from "@/components/ui/states";
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
      <Panel label={title}>
        <Suspense key={search} fallback={<RowsSkeleton />}>
          {children}
        </Suspense>
      </Panel>
    </Page>
  );
}
