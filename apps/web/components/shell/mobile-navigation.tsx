"use client";

import { Menu, X } from "lucide-react";
import { useRef } from "react";
import { IconButton } from "@/components/ui/button";
import { Logo } from "./logo";
import { Navigation } from "./navigation";

/** The navigation of narrow windows: a panel from the left. */
export function MobileNavigation() {
  const dialog = useRef<HTMLDialogElement>(null);
  const close = () => dialog.current?.close();
  return (
    <>
      <IconButton label="Open the navigation" onClick={() => dialog.current?.showModal()}>
        <Menu />
      </IconButton>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes dialogs by itself. */}
      <dialog
        ref={dialog}
        aria-label="Navigation"
        onClick={(event) => event.target === dialog.current && close()}
        className="m-0 h-dvh max-h-none w-64 border-r border-line bg-surface p-0 text-ink"
      >
        <div className="grid gap-6 p-4">
          <div className="flex items-center justify-between">
            <Logo />
            <IconButton label="Close the navigation" onClick={close}>
              <X />
            </IconButton>
          </div>
          <Navigation onChoose={close} />
        </div>
      </dialog>
    </>
  );
}
