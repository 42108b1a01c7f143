import type { Metadata } from "next";
import { Logo } from "@/components/shell/logo";
import { localPath } from "@/lib/server/origin";
import { SignInForm } from "./form";

export const metadata: Metadata = { title: "Sign in" };

export default async function SignInPage({ searchParams }: { searchParams: Promise<{ to?: string }> }) {
  return (
    <main className="grid min-h-dvh place-items-center px-4">
      <div className="grid w-full max-w-sm gap-6 rounded-xl border border-line bg-surface p-8">
        <div className="grid gap-2">
          <Logo />
          <h1 className="mt-4 text-xl font-semibold tracking-tight">Sign in</h1>
          <p className="text-sm text-soft">
            <code className="font-mono">overcoat up</code> prints the password when it starts, and keeps it in{" "}
            <code className="font-mono">connection.json</code>.
          </p>
        </div>
        <SignInForm to={localPath((await searchParams).to)} />
      </div>
    </main>
  );
}
