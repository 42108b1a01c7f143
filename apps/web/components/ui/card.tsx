import type { ReactNode } from "react";
import { classes } from "./classes";

/** A part of a page with a heading of its own. */
export function Card({
  title,
  action,
  children,
  className,
}: {
  title: ReactNode;
  action?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section className={classes("min-w-0 rounded-xl border border-line bg-surface", className)}>
      <header className="flex min-h-14 items-center justify-between gap-3 border-b border-line px-5 py-2.5">
        <h2 className="text-[15px] font-semibold">{title}</h2>
        {action}
      </header>
      {children}
    </section>
  );
}
