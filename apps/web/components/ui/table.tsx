import type { ComponentProps, ReactNode } from "react";
import { classes } from "./classes";
import { Scroll } from "./scroll";

export interface TableProps {
  /** Its name for screen readers. */
  readonly label: string;
  /** Whether the columns have the widths that they state, whatever is in them. */
  readonly fixed?: boolean;
  readonly children: ReactNode;
}

/** A table that scrolls sideways within itself. */
export function Table({ label, fixed, children }: TableProps) {
  return (
    <Scroll label={label}>
      <table className={classes("w-full border-collapse text-sm", fixed && "table-fixed")}>{children}</table>
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
