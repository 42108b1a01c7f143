import type { ReactNode } from "react";
import { classes } from "./classes";

/** What scrolls sideways within itself where the window is narrow. `label` is its name for screen readers. */
export function Scroll({
  label,
  className,
  children,
}: {
  label: string;
  className?: string;
  children: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section aria-label={label} tabIndex={0} className={classes("overflow-x-auto", className)}>
      {children}
    </section>
  );
}
