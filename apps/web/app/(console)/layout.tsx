import { LogOut } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { signOut } from "@/components/shell/actions";
import { Logo } from "@/components/shell/logo";
import { MobileNavigation } from "@/components/shell/mobile-navigation";
import { Navigation } from "@/components/shell/navigation";
import { ThemeButton } from "@/components/shell/theme-button";
import { IconButton } from "@/components/ui/button";
import { UploadPanel } from "@/components/uploads/upload-panel";
import { requireSession } from "@/lib/server/session";
import { chosenTheme } from "@/lib/server/theme";

export default async function ConsoleLayout({ children }: { children: ReactNode }) {
  await requireSession();
  const controls = (
    <div className="flex items-center gap-1">
      <ThemeButton chosen={await chosenTheme()} />
      <form action={signOut}>
        <IconButton type="submit" label="Sign out">
          <LogOut />
        </IconButton>
      </form>
    </div>
  );
  return (
    <div className="lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]">
      <a
        href="#content"
        className="sr-only z-20 rounded-md bg-surface px-3 py-2 text-sm focus:not-sr-only focus:fixed focus:top-3 focus:left-3"
      >
        Skip to the content
      </a>
      <header className="sticky top-0 z-10 flex h-14 items-center justify-between border-b border-line bg-surface px-4 lg:hidden">
        <div className="flex items-center gap-2">
          <MobileNavigation />
          <Link href="/">
            <Logo />
          </Link>
        </div>
        {controls}
      </header>
      <div className="sticky top-0 hidden h-dvh flex-col justify-between border-r border-line bg-surface px-3 py-5 lg:flex">
        <div className="grid gap-7">
          <Link href="/" className="px-3">
            <Logo />
          </Link>
          <Navigation />
        </div>
        {controls}
      </div>
      <main id="content" tabIndex={-1} className="min-w-0 outline-none">
        {children}
      </main>
      <UploadPanel />
    </div>
  );
}
