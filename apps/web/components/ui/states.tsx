import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";

/** In place of a list that has nothing in it: what would be here, and how to get it here. */
export function Empty({
  title,
  children,
  action,
}: {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="grid justify-items-center gap-2 px-6 py-12 text-center">
      <p className="font-medium">{title}</p>
      {children && <div className="max-w-md text-sm text-soft">{children}</div>}
      {action && <div className="mt-2">{action}</div>}
    </div>
  );
}

/** What went wrong, and what to do about it. */
export function Failure({
  title,
  children,
  action,
}: {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div role="alert" className="flex gap-3 rounded-lg border border-bad/40 bg-bad-soft px-4 py-3 text-sm">
      <CircleAlert className="mt-0.5 size-4.5 shrink-0 text-bad" aria-hidden="true" />
      <div className="grid min-w-0 gap-1">
        <p className="font-medium break-words">{title}</p>
        {children && <div className="break-words whitespace-pre-wrap text-soft">{children}</div>}
        {action && <div className="mt-1">{action}</div>}
      </div>
    </div>
  );
}

/** Keeps the place of what is still on its way. `className` gives its height. */
export function Skeleton({ className = "h-4" }: { className?: string }) {
  return <div aria-hidden="true" className={`motion-safe:animate-pulse rounded-md bg-raised ${className}`} />;
}

/** Keeps the place of the rows of a table. */
export function RowsSkeleton() {
  return (
    <div role="status" aria-label="Loading" className="grid gap-7 p-5">
      {["a", "b", "c", "d", "e", "f", "g", "h"].map((name) => (
        <Skeleton key={name} />
      ))}
    </div>
  );
}
