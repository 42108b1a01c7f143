import type { ComponentProps, ReactNode } from "react";
import { classes } from "./classes";
import { Scroll } from "./scroll";

/** A table that scrolls sideways within itself. `label` is its name for screen readers. */
export function Table({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Scroll label={label}>
      <table className="w-full border-collapse text-sm">{children}</table>
    </Scroll>
  );
}

export function Th({ className, ...rest }: ComponentProps<"th">) {
  return (
    <th
      scope="col"
      className={classes(
        "h-10 border-b border-line px-5 text-left text-xs font-medium whitespace-nowrap text-soft",
        className,
      )}
      {...rest}
    />
  );
}

export function Td({ className, ...rest }: ComponentProps<"td">) {
  return (
    <td
      className={classes(
        "h-11 border-b border-line px-5 align-middle [tr:last-child>&]:border-b-0",
        className,
      )}
      {...rest}
    />
  );
}
