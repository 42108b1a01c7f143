import type { Metadata } from "next";
import { Empty } from "@/components/ui/states";
import { requireSession } from "@/lib/server/session";
import { searchOf } from "../search-form";
import { TableFailure } from "../table-failure";
import { TablePage } from "../table-page";
import { usersAfter } from "./actions";
import { UserTable } from "./user-table";

export const metadata: Metadata = { title: "Users" };

export default async function UsersPage({ searchParams }: { searchParams: Promise<{ q?: string }> }) {
  await requireSession();
  const search = await searchOf(searchParams);
  return (
    <TablePage
      title="Users"
      lead="Users of Auth0, through the table auth0_users."
      path="/users"
      search={search}
      label="E-mail begins with"
    >
      <Users search={search} />
    </TablePage>
  );
}

async function Users({ search }: { search: string }) {
  const page = await usersAfter(search, "");
  if ("failed" in page) return <TableFailure table="auth0_users" failed={page.failed} />;
  if (page.rows.length > 0) return <UserTable search={search} first={page} />;
  return search ? (
    <Empty title="No user has such an address">{`None begins with “${search}”.`}</Empty>
  ) : (
    <Empty title="No users">The tenant of this table has none yet.</Empty>
  );
}
