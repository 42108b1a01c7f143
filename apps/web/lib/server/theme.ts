import "server-only";
import { cookies } from "next/headers";
import { type Theme, themeCookie, themes } from "@/lib/theme";

export async function chosenTheme(): Promise<Theme> {
  const value = (await cookies()).get(themeCookie)?.value;
  return themes.find((theme) => theme === value) ?? "system";
}
