/** `npm run docs`: writes docs/options.md, the tables of all options, from the sources that define them. */
import { writeFileSync } from "node:fs";
import type { OptionDescriptions, Source } from "@overcoat/sources";
import { sources } from "../packages/cli/src/sql/sources.ts";

const titles: Readonly<Record<string, string>> = { redis: "Redis", auth0: "Auth0", s3: "S3" };
const levels = [
  ["server", "Server", "`CREATE SERVER … OPTIONS (…)`"],
  ["user", "User mapping", "`CREATE USER MAPPING … OPTIONS (…)`, where other users cannot read them"],
  ["table", "Table", "`CREATE FOREIGN TABLE … OPTIONS (…)`"],
  ["column", "Column", "`column type OPTIONS (…)`"],
] as const;

function table(options: OptionDescriptions): string {
  const rows = Object.entries(options).map(([name, { description, synonymOf, secret }]) => {
    const notes = [
      synonymOf && `the same as \`${synonymOf}\``,
      secret && "kept out of logs and errors",
    ].filter(Boolean);
    const text = notes.length > 0 ? `${description} (${notes.join("; ")})` : description;
    return `| \`${name}\` | ${text.replaceAll("|", "\\|")} |`;
  });
  return ["| Option | |", "| --- | --- |", ...rows].join("\n");
}

function section({ name, options, secretOption }: Source): string {
  const parts = levels
    .filter(([level]) => Object.keys(options[level]).length > 0)
    .map(([level, title, where]) => `### ${title}\n\n${where}\n\n${table(options[level])}`);
  const secret = secretOption
    ? `\`secret 'NAME'\` of a server or a user mapping stands for \`${secretOption}\`.\n\n`
    : "";
  return `## ${titles[name] ?? name}: \`${name}_fdw\`\n\n${secret}${parts.join("\n\n")}`;
}

/** The text of docs/options.md. */
export const optionsPage = `# Options of the SQL wrappers

Made by \`npm run docs\` from the packages' sources. [Redis](sources/redis.md), [Auth0](sources/auth0.md) and
[S3](sources/s3.md) tell what they are good for. Beside them all wrappers take the options of \`postgres_fdw\`
(\`fetch_size\`, \`batch_size\`, \`updatable\`, …); any other is refused with the list of those that are known.

${sources.map(section).join("\n\n")}
`;

if (import.meta.main) writeFileSync(new URL("../docs/options.md", import.meta.url), optionsPage);
