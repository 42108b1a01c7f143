"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { classes } from "@/components/ui/classes";
import { pageGroups } from "./pages";

export function Navigation({ onChoose }: { onChoose?: () => void }) {
  const path = usePathname();
  return (
    <nav aria-label="Pages" className="grid gap-3">
      {pageGroups.map((pages) => (
        <ul key={pages[0]?.href} className="grid gap-0.5">
          {pages.map(({ href, title, Icon }) => {
            const isHere = href === "/" ? path === "/" : path.startsWith(href);
            return (
              <li key={href}>
                <Link
                  href={href}
                  onClick={onChoose}
                  aria-current={isHere ? "page" : undefined}
                  className={classes(
                    "flex h-9 items-center gap-3 rounded-md px-3 text-sm transition-colors",
                    isHere
                      ? "bg-accent-soft font-medium text-ink"
                      : "text-soft hover:bg-raised hover:text-ink",
                  )}
                >
                  <Icon className={classes("size-4.5", isHere && "text-accent")} aria-hidden="true" />
                  {title}
                </Link>
              </li>
            );
          })}
        </ul>
      ))}
    </nav>
  );
}
