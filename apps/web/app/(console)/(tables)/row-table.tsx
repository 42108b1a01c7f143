"use client";

import { type ReactNode, useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import { classes } from "@/components/ui/classes";
import { Dialog } from "@/components/ui/dialog";
import { Failure } from "@/components/ui/states";
import { Table, Td, Th } from "@/components/ui/table";
import type { RowPage } from "./row-page";

export interface Column<Row> {
  readonly title: string;
  readonly className?: string;
  cell(row: Row): ReactNode;
}

export interface RowTableProps<Row> {
  readonly label: string;
  /** The first column's text is the name of the row, which opens its details. */
  readonly columns: readonly Column<Row>[];
  readonly first: { readonly rows: readonly Row[]; readonly next?: string };
  /** The rows after a key. */
  more(after: string): Promise<RowPage<Row>>;
  keyOf(row: Row): string;
  /** What a drawer shows of a row. `put` has the row changed or, with undefined, gone. */
  details(row: Row, put: (row: Row | undefined) => void): ReactNode;
}

/** Rows with a drawer for the details of each, and a button that loads the next. */
export function RowTable<Row>({ label, columns, first, more, keyOf, details }: RowTableProps<Row>) {
  const [{ rows, next }, setPage] = useState(first);
  const [error, setError] = useState<string>();
  const [opened, setOpened] = useState<string>();
  const [isLoading, startLoading] = useTransition();
  const shown = rows.find((row) => keyOf(row) === opened);

  const loadMore = () =>
    startLoading(async () => {
      const page = await more(next!).catch((cause: Error) => ({ failed: cause }));
      setError("failed" in page ? page.failed.message : undefined);
      if (!("failed" in page)) setPage({ rows: [...rows, ...page.rows], next: page.next });
    });
  const put = (key: string, changed: Row | undefined) => {
    if (!changed) setOpened(undefined);
    setPage((page) => ({
      ...page,
      rows: page.rows.flatMap((row) => (keyOf(row) === key ? (changed ? [changed] : []) : [row])),
    }));
  };

  return (
    <>
      <Table label={label} fixed>
        <thead>
          <tr>
            {columns.map(({ title, className }) => (
              <Th key={title} className={classes("font-sans", className)}>
                {title}
              </Th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} className="relative hover:bg-raised">
              {columns.map(({ title, className, cell }, i) => (
                <Td key={title} className={classes("truncate", className)}>
                  {i === 0 ? (
                    <button
                      type="button"
                      onClick={() => setOpened(keyOf(row))}
                      className="block w-full truncate text-left after:absolute after:inset-0"
                    >
                      {cell(row)}
                    </button>
                  ) : (
                    cell(row)
                  )}
                </Td>
              ))}
            </tr>
          ))}
        </tbody>
      </Table>
      {error && (
        <div className="px-5 pt-4">
          <Failure title="The next rows did not come">{error}</Failure>
        </div>
      )}
      <footer className="flex min-h-14 items-center justify-between gap-3 px-5 py-2.5 text-sm text-soft">
        <span role="status">{`${rows.length.toLocaleString("en")} shown${next ? "" : ", which is all"}`}</span>
        {next && (
          <Button look="plain" onClick={loadMore} disabled={isLoading}>
            {isLoading ? "Loading…" : "Load more"}
          </Button>
        )}
      </footer>
      <Dialog
        look="drawer"
        open={shown !== undefined}
        onClose={() => setOpened(undefined)}
        title={shown === undefined ? "" : keyOf(shown)}
      >
        {shown !== undefined && details(shown, (changed) => put(keyOf(shown), changed))}
      </Dialog>
    </>
  );
}
