import type { ComponentProps } from "react";

/** A box to tick, large enough for a finger; `label` is read aloud. */
export function Checkbox({ label, ...rest }: ComponentProps<"input"> & { label: string }) {
  return (
    <label className="relative z-1 grid size-11 place-items-center">
      <input type="checkbox" aria-label={label} className="size-4 accent-accent" {...rest} />
    </label>
  );
}
