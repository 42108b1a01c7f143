"use client";

import { Monitor, Moon, Sun } from "lucide-react";
import { useState } from "react";
import { IconButton } from "@/components/ui/button";
import { type Theme, themeCookie, themes } from "@/lib/theme";

const looks = {
  system: { Icon: Monitor, label: "Colours: as the system has them" },
  light: { Icon: Sun, label: "Colours: light" },
  dark: { Icon: Moon, label: "Colours: dark" },
} as const;

/** Goes through system, light and dark; a cookie keeps the choice for the server, so that no page flashes. */
export function ThemeButton({ chosen }: { chosen: Theme }) {
  const [theme, setTheme] = useState(chosen);
  const { Icon, label } = looks[theme];
  const change = () => {
    const next = themes[(themes.indexOf(theme) + 1) % themes.length]!;
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing in some browsers.
    document.cookie = `${themeCookie}=${next}; path=/; max-age=31536000; samesite=strict`;
    document.documentElement.dataset.theme = next;
    setTheme(next);
  };
  return (
    <IconButton label={label} onClick={change}>
      <Icon />
    </IconButton>
  );
}
