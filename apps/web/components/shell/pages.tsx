import { Activity, LayoutDashboard, type LucideIcon, Plug, SquareTerminal } from "lucide-react";

export interface NavigationPage {
  readonly href: string;
  readonly title: string;
  readonly Icon: LucideIcon;
}

/** What the navigation shows, by groups. A page is a folder under `app/(console)`. */
export const pageGroups: readonly (readonly NavigationPage[])[] = [
  [{ href: "/", title: "Overview", Icon: LayoutDashboard }],
  [{ href: "/sql", title: "SQL", Icon: SquareTerminal }],
  [
    { href: "/activity", title: "Activity", Icon: Activity },
    { href: "/connect", title: "Connect", Icon: Plug },
  ],
];
