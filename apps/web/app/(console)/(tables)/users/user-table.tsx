"use client";

import { Code } from "@/components/ui/code";
import { ConfirmButton } from "@/components/ui/confirm";
import { Facts } from "@/components/ui/facts";
import type { Auth0User } from "@/integrations/wrappers";
import { formatTime } from "@/lib/format";
import { type Column, RowTable, type RowTableProps } from "../row-table";
import { setBlocked, usersAfter } from "./actions";

const isBlocked = ({ profile }: Auth0User) => profile.blocked === true;

const timeOf = ({ profile }: Auth0User, name: string) => {
  const time = profile[name];
  return typeof time === "string" ? formatTime(time) : undefined;
};

const columns: readonly Column<Auth0User>[] = [
  { title: "E-mail", className: "sm:w-1/3", cell: ({ email, user_id }) => email ?? user_id },
  {
    title: "Name",
    className: "hidden sm:table-cell",
    cell: ({ profile }) => (typeof profile.name === "string" ? profile.name : ""),
  },
  {
    title: "Last login",
    className: "hidden w-52 text-soft lg:table-cell",
    cell: (user) => timeOf(user, "last_login") ?? "never",
  },
  {
    title: "State",
    className: "w-28",
    cell: (user) =>
      isBlocked(user) ? <span className="text-bad">Blocked</span> : <span className="text-soft">Active</span>,
  },
];

export function UserTable({ search, first }: { search: string; first: RowTableProps<Auth0User>["first"] }) {
  return (
    <RowTable
      label="Users"
      columns={columns}
      first={first}
      more={(after) => usersAfter(search, after)}
      keyOf={({ user_id }) => user_id}
      details={(user, put) => <UserDetails user={user} onChange={put} />}
    />
  );
}

function UserDetails({ user, onChange }: { user: Auth0User; onChange: (user: Auth0User) => void }) {
  const change = async (blocked: boolean) => {
    const wrong = await setBlocked(user.user_id, blocked);
    if (wrong === undefined) onChange({ ...user, profile: { ...user.profile, blocked } });
    return wrong;
  };
  const called = user.email ?? user.user_id;
  return (
    <>
      <Facts
        facts={{
          "E-mail": user.email,
          Made: timeOf(user, "created_at"),
          "Last login": timeOf(user, "last_login"),
          State: isBlocked(user) ? "Blocked" : "Active",
        }}
      />
      <div>
        {isBlocked(user) ? (
          <ConfirmButton
            key="unblock"
            label="Unblock"
            look="primary"
            title="Unblock this user?"
            run={() => change(false)}
          >
            {`${called} can log in again.`}
          </ConfirmButton>
        ) : (
          <ConfirmButton key="block" label="Block" title="Block this user?" run={() => change(true)}>
            {`${called} cannot log in until unblocked. Sessions that are open stay open until they expire.`}
          </ConfirmButton>
        )}
      </div>
      <Code text={JSON.stringify(user.profile, null, 2)} label="profile" />
    </>
  );
}
