"use client";

import { Download, Play, Square } from "lucide-react";
import { useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Failure } from "@/components/ui/states";
import type { Role } from "@/lib/server/sql/connection";
import type { Answer } from "@/lib/server/sql/run";
import type { TableOf } from "@/lib/server/sql/schema";
import { post, SqlFailure } from "./client";
import { Editor } from "./editor";
import { How } from "./how";
import { Results } from "./results";
import { Tables } from "./tables";

type Outcome =
  | { readonly answer: Answer; readonly text: string; readonly role: Role }
  | { readonly failure: SqlFailure };

export function SqlConsole({ tables, text: first }: { tables: readonly TableOf[]; text: string }) {
  const [text, setText] = useState(first);
  const [role, setRole] = useState<Role>("reader");
  const [running, setRunning] = useState<AbortController>();
  const [outcome, setOutcome] = useState<Outcome>();
  const download = useRef<HTMLFormElement>(null);

  async function run() {
    if (running || text.trim() === "") return;
    const stopping = new AbortController();
    setRunning(stopping);
    try {
      setOutcome({ answer: await post<Answer>("run", { text, role }, stopping.signal), text, role });
    } catch (error) {
      setOutcome({
        failure: stopping.signal.aborted
          ? new SqlFailure("Cancelled.")
          : error instanceof SqlFailure
            ? error
            : new SqlFailure("The console does not answer. Does Overcoat still run?"),
      });
    } finally {
      setRunning(undefined);
    }
  }

  const answer = outcome && "answer" in outcome ? outcome : undefined;
  return (
    <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1fr)_20rem]">
      <div className="grid min-w-0 gap-6">
        <section aria-label="Statement" className="rounded-xl border border-line bg-surface">
          <Editor text={text} onChange={setText} onRun={run} tables={tables} />
          <div className="flex flex-wrap items-center justify-between gap-3 border-t border-line px-4 py-3">
            <label className="flex items-center gap-2 text-sm">
              <input
                type="checkbox"
                className="size-4 accent-accent"
                checked={role === "owner"}
                onChange={(event) => setRole(event.target.checked ? "owner" : "reader")}
              />
              Allow changes
              {role === "owner" && <span className="text-warn">– as the owner of the database</span>}
            </label>
            <div className="flex gap-2">
              {running ? (
                <Button look="plain" onClick={() => running.abort()}>
                  <Square /> Cancel
                </Button>
              ) : (
                <Button onClick={run} title="Ctrl-Enter">
                  <Play /> Run
                </Button>
              )}
            </div>
          </div>
        </section>
        {outcome && "failure" in outcome && (
          <Failure title="It did not run">{describe(outcome.failure, text)}</Failure>
        )}
        {answer && (
          <Card
            title={summary(answer.answer)}
            action={
              answer.role === "reader" &&
              answer.answer.columns.length > 0 && (
                <form ref={download} method="post" action="/api/sql/csv">
                  <input type="hidden" name="text" value={answer.text} />
                  <Button type="submit" look="plain">
                    <Download /> CSV
                  </Button>
                </form>
              )
            }
          >
            <Results answer={answer.answer} />
          </Card>
        )}
      </div>
      <div className="grid min-w-0 gap-6">
        {answer?.role === "reader" && (
          <How key={answer.text} text={answer.text} requests={answer.answer.requests} />
        )}
        <Tables tables={tables} onChoose={(table) => setText(`SELECT * FROM ${table} LIMIT 20`)} />
      </div>
    </div>
  );
}

const summary = ({ rows, isCut, command, milliseconds, columns }: Answer) => (
  <span className="tabular-nums">
    {columns.length > 0
      ? isCut
        ? `The first ${rows.length.toLocaleString("en")} rows`
        : `${rows.length.toLocaleString("en")} ${rows.length === 1 ? "row" : "rows"}`
      : command}
    <span className="ml-2 text-sm font-normal text-soft">{milliseconds.toFixed(1)} ms</span>
  </span>
);

/** With the line that the position is in. */
function describe({ message, position }: SqlFailure, text: string): string {
  if (position === undefined) return message;
  const before = text.slice(0, position - 1).split("\n");
  return `${message}\nLine ${before.length}, column ${before.at(-1)!.length + 1}`;
}
