import type { ComponentProps } from "react";
import { classes } from "./classes";

const looks = {
  primary: "bg-accent text-accent-ink hover:opacity-90",
  plain: "border border-line bg-surface text-ink hover:bg-raised",
  quiet: "text-soft hover:bg-raised hover:text-ink",
  danger: "bg-bad text-bad-ink hover:opacity-90",
} as const;

export type ButtonLook = keyof typeof looks;

/** What a button looks like, for links that are one. */
export const buttonClasses = (look: ButtonLook = "primary") =>
  classes(
    "inline-flex h-9 items-center justify-center gap-2 rounded-md px-3.5 text-sm font-medium whitespace-nowrap transition-colors",
    "disabled:cursor-not-allowed disabled:opacity-60 [&>svg]:size-4 [&>svg]:shrink-0",
    looks[look],
  );

export function Button({
  look,
  type = "button",
  className,
  ...rest
}: ComponentProps<"button"> & { look?: ButtonLook }) {
  return <button type={type} className={classes(buttonClasses(look), className)} {...rest} />;
}

/** A button that is only an icon; its name is read aloud and shows when pointed at. */
export function IconButton({
  label,
  className,
  type = "button",
  ...rest
}: ComponentProps<"button"> & { label: string }) {
  return (
    <button
      type={type}
      aria-label={label}
      title={label}
      className={classes(
        "inline-grid size-9 shrink-0 place-items-center rounded-md text-soft transition-colors hover:bg-raised hover:text-ink [&>svg]:size-4.5",
        className,
      )}
      {...rest}
    />
  );
}
