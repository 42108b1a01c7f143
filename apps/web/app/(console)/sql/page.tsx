import type { Metadata } from "next";
import { Page } from "@/components/ui/page";
import { Failure } from "@/components/ui/states";
import { messageOf } from "@/lib/server/checks";
import { requireSession } from "@/lib/server/session";
import { databaseTables } from "@/lib/server/sql/schema";
import { SqlConsole } from "./sql-console";

export const metadata: Metadata = { title: "SQL" };

export default async function SqlPage({ searchParams }: { searchParams: Promise<{ text?: string }> }) {
  await requireSession();
  const { text } = await searchParams;
  const tables = await databaseTables().catch((error: unknown) => messageOf(error));
  return (
    <Page
      title="SQL"
      lead="Ask the services as tables. A role that can only read runs it, unless you allow changes."
    >
      {typeof tables === "string" ? (
        <Failure title="PostgreSQL does not answer">{tables}</Failure>
      ) : (
        <SqlConsole tables={tables} text={text ?? firstText(tables)} />
      )}
    </Page>
  );
}

const firstText = (tables: Awaited<ReturnType<typeof databaseTables>>) => {
  const table = tables.find(({ isForeign }) => isForeign) ?? tables[0];
  return table ? `SELECT * FROM ${table.name} LIMIT 20` : "SELECT version()";
};
