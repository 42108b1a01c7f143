import { GeistMono } from "geist/font/mono";
import { GeistSans } from "geist/font/sans";
import type { Metadata, Viewport } from "next";
import { connection } from "next/server";
import type { ReactNode } from "react";
import { chosenTheme } from "@/lib/server/theme";
import "./globals.css";

export const metadata: Metadata = {
  title: { template: "%s · Overcoat", default: "Overcoat" },
  robots: { index: false, follow: false },
};

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f7f8f8" },
    { media: "(prefers-color-scheme: dark)", color: "#0d1012" },
  ],
};

export default async function RootLayout({ children }: { children: ReactNode }) {
  // Each answer has a nonce of its own, so nothing is prerendered.
  await connection();
  return (
    <html
      lang="en"
      data-theme={await chosenTheme()}
      className={`${GeistSans.variable} ${GeistMono.variable}`}
    >
      <body className="font-sans text-[15px] leading-6">{children}</body>
    </html>
  );
}
