import type { ReactNode } from "react";

/** A page's heading, the way to it, what may be done with all of it, and its content. */
export function Page({
  title,
  path,
  lead,
  action,
  children,
}: {
  title: string;
  path?: ReactNode;
  lead?: ReactNode;
  action?: ReactNode;
  children: ReactNode;
}) {
  return (
    <div className="mx-auto grid max-w-6xl gap-6 px-4 py-6 sm:px-8 sm:py-10">
      <header className="flex flex-wrap items-end justify-between gap-3">
        <div className="grid min-w-0 gap-1">
          {path}
          <h1 className="text-2xl font-semibold tracking-tight break-words">{title}</h1>
          {lead && <p className="max-w-2xl text-soft">{lead}</p>}
        </div>
        {action}
      </header>
      {children}
    </div>
  );
}
