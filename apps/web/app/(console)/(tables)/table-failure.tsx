import Link from "next/link";
import { buttonClasses } from "@/components/ui/button";
import { Code } from "@/components/ui/code";
import { Empty, Failure } from "@/components/ui/states";
import { extensionsSql, wrappedTables } from "../(overview)/seed-sql";
import type { Failed } from "./row-page";

export type WrappedTable = (typeof wrappedTables)[number]["name"];

const advice = {
  invalid: "Change what is searched for.",
  "not-configured": "",
  unavailable: "See on the overview what is running, then load this page again.",
  denied: "Look at the login of the foreign server: its options and its user mapping.",
  conflict: "Load this page again.",
  timeout: "Search for less, or see on the overview whether the service is slow.",
  failed: "See on the overview what is running.",
} as const;

/** In place of a table that cannot be read: why, and the statement that makes it where it is not there. */
export function TableFailure({ table, failed }: { table: WrappedTable; failed: Failed }) {
  if (failed.kind === "not-configured") return <Missing table={table} message={failed.message} />;
  return (
    <div className="p-5">
      <Failure title="The table cannot be read">{`${failed.message}\n${advice[failed.kind]}`}</Failure>
    </div>
  );
}

function Missing({ table, message }: { table: WrappedTable; message: string }) {
  const sql = wrappedTables.find(({ name }) => name === table)!.sql;
  return (
    <Empty
      title={`The table ${table} is not there yet`}
      action={
        <Link href="/" className={buttonClasses("plain")}>
          See what is set up
        </Link>
      }
    >
      <div className="grid gap-3">
        <p>{message}</p>
        <p>Make the extension and its server, as the overview shows, then run this:</p>
        <div className="text-left text-ink">
          <Code
            text={`${extensionsSql.split("\n").find((line) => line.includes(table.split("_")[0]!))}\n\n${sql}`}
            label={`SQL that makes ${table}`}
          />
        </div>
      </div>
    </Empty>
  );
}
