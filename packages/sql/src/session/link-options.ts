import { SqlError } from "@overcoat/sources";
import { z } from "zod";
import type { LinkedServer, LinkedTable } from "../link/link.ts";

const options = z.record(z.string(), z.string());

const linkedServer: z.ZodType<LinkedServer> = z.object({
  wrapper: z.string(),
  server: z.string(),
  options,
});

const linkedTable: z.ZodType<LinkedTable> = z.object({
  table: z.string(),
  options: options.optional(),
  columns: z.array(
    z.union([z.tuple([z.string(), z.string()]), z.tuple([z.string(), z.string(), options])]).readonly(),
  ),
  collation: z.string().optional(),
  remote: z.tuple([z.string(), z.string()]).optional(),
});

/** The setting that names the server. */
export const linkSetting = "overcoat.link";

/**
 * The settings in libpq's `options`: `-c name=value`, `-cname=value` and `--name=value`, in which a backslash stands
 * before blanks and backslashes that belong to a value.
 * @throws SqlError 22023 for anything else
 */
export function parseOptions(text: string): Map<string, string> {
  const words = Array.from(text.matchAll(/(?:\\[\s\S]|[^\s\\])+/g), ([word]) =>
    word.replace(/\\([\s\S])/g, "$1"),
  );
  const settings = new Map<string, string>();
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    const setting = word === "-c" ? words[++index] : /^(?:-c|--)([\s\S]+)$/.exec(word)?.[1];
    const [, name, value] = /^([\w.-]+)=([\s\S]*)$/.exec(setting ?? "") ?? [];
    // The value may be a secret: it is not shown.
    if (name === undefined)
      throw new SqlError("22023", "the connection's options are not of the form -c name=value");
    settings.set(name.toLowerCase().replaceAll("-", "_"), value!);
  }
  return settings;
}

/** @throws SqlError 22023 for what the linker would not write */
export function parseLinkedServer(text: string): LinkedServer {
  return parse(linkedServer, text, "server");
}

/** @throws SqlError 42P01 for what the linker would not write */
export function parseLinkedTable(text: string): LinkedTable {
  return parse(linkedTable, text, "table");
}

function parse<T>(schema: z.ZodType<T>, text: string, what: "server" | "table"): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new SqlError(
      what === "server" ? "22023" : "42P01",
      `the linked options of this foreign ${what} cannot be read`,
      { hint: "Run: overcoat sql relink" },
    );
  }
}
