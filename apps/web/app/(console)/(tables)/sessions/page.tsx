import type { Metadata } from "next";
import { Empty } from "@/components/ui/states";
import { requireSession } from "@/lib/server/session";
import { searchOf } from "../search-form";
import { TableFailure } from "../table-failure";
import { TablePage } from "../table-page";
import { sessionsAfter } from "./actions";
import { SessionTable } from "./session-table";

export const metadata: Metadata = { title: "Sessions" };

export default async function SessionsPage({ searchParams }: { searchParams: Promise<{ q?: string }> }) {
  await requireSession();
  const search = await searchOf(searchParams);
  return (
    <TablePage
      title="Sessions"
      lead="Sessions in Redis, through the table redis_sessions."
      path="/sessions"
      search={search}
      label="Id begins with"
    >
      <Sessions search={search} />
    </TablePage>
  );
}

async function Sessions({ search }: { search: string }) {
  const page = await sessionsAfter(search, "");
  if ("failed" in page) return <TableFailure table="redis_sessions" failed={page.failed} />;
  if (page.rows.length > 0) return <SessionTable search={search} first={page} />;
  return search ? (
    <Empty title="No session has such an id">{`None begins with “${search}”. Capitals and small letters differ.`}</Empty>
  ) : (
    <Empty title="No sessions">Redis holds no keys of this table at the moment.</Empty>
  );
}
