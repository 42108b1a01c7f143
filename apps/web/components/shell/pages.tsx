import { LayoutDashboard, type LucideIcon, Plug } from "lucide-react";

export interface NavigationPage {
  readonly href: string;
  readonly title: string;
  readonly Icon: LucideIcon;
}

/** What the navigation shows, by groups. A page is a folder under `app/(console)`. */
export const pageGroups: readonly (readonly NavigationPage[])[] = [
  [{ href: "/", title: "Overview", Icon: LayoutDashboard }],
  [{ href: "/connect", title: "Connect", Icon: Plug }],
];
