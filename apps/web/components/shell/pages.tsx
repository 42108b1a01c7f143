import {
  Activity,
  CloudCog,
  Files,
  HardDrive,
  KeyRound,
  LayoutDashboard,
  type LucideIcon,
  Plug,
  SquareTerminal,
  Users,
} from "lucide-react";

export interface NavigationPage {
  readonly href: string;
  readonly title: string;
  readonly Icon: LucideIcon;
}

/** What the navigation shows, by groups. A page is a folder under `app/(console)`. */
export const pageGroups: readonly (readonly NavigationPage[])[] = [
  [
    { href: "/", title: "Overview", Icon: LayoutDashboard },
    { href: "/storage", title: "Storage", Icon: HardDrive },
    { href: "/remotes", title: "Remotes", Icon: CloudCog },
  ],
  [
    { href: "/files", title: "Files", Icon: Files },
    { href: "/sessions", title: "Sessions", Icon: KeyRound },
    { href: "/users", title: "Users", Icon: Users },
    { href: "/sql", title: "SQL", Icon: SquareTerminal },
  ],
  [
    { href: "/activity", title: "Activity", Icon: Activity },
    { href: "/connect", title: "Connect", Icon: Plug },
  ],
];
