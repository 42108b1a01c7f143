import { installScript } from "@overcoat/sql";
import { UsageError } from "../errors.ts";
import { type LinkFlags, resolveLink } from "./link.ts";
import { plainScripts } from "./plain.ts";
import { sources } from "./sources.ts";

/** What commander hands over: text as typed. */
export interface PrintFlags extends Omit<LinkFlags, "url"> {
  target: string;
  source?: string[];
  option?: string[];
}

/** `overcoat sql print`: a script on standard output. */
export async function printScript(flags: PrintFlags): Promise<void> {
  process.stdout.write(scriptOf(flags));
}

function scriptOf(flags: PrintFlags): string {
  const link = resolveLink(flags, process.env);
  if (flags.target === "plain") return plainScripts(flags, link);
  if (flags.target !== "supabase")
    throw new UsageError(`--target: "${flags.target}" must be supabase or plain`);
  return installScript(sources, "extension", link && { ...link });
}
