"use client";

import { Code } from "@/components/ui/code";
import { ConfirmButton } from "@/components/ui/confirm";
import type { RedisSession } from "@/integrations/wrappers";
import { type Column, RowTable, type RowTableProps } from "../row-table";
import { endRedisSession, sessionsAfter } from "./actions";

const columns: readonly Column<RedisSession>[] = [
  { title: "Id", className: "w-1/3 font-mono text-[13px]", cell: ({ session_id }) => session_id },
  {
    title: "Payload",
    className: "font-mono text-[13px] text-soft",
    cell: ({ payload }) => JSON.stringify(payload).slice(0, 300),
  },
];

export function SessionTable({
  search,
  first,
}: {
  search: string;
  first: RowTableProps<RedisSession>["first"];
}) {
  return (
    <RowTable
      label="Sessions"
      columns={columns}
      first={first}
      more={(after) => sessionsAfter(search, after)}
      keyOf={({ session_id }) => session_id}
      details={({ session_id, payload }, put) => (
        <>
          <Code text={JSON.stringify(payload, null, 2)} label="payload" />
          <div>
            <ConfirmButton
              label="End the session"
              title="End this session?"
              run={async () => {
                const wrong = await endRedisSession(session_id);
                if (wrong === undefined) put(undefined);
                return wrong;
              }}
            >
              {`Its key is deleted from Redis, and whoever uses ${session_id} must sign in again.`}
            </ConfirmButton>
          </div>
        </>
      )}
    />
  );
}
