"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Failure } from "@/components/ui/states";
import type { PlanStep } from "@/lib/server/sql/plan";
import type { ServiceRequest } from "@/lib/server/sql/requests";
import { post } from "./client";

/** How a query went: what the services were asked, and at wish rows and time of each step. */
export function How({ text, requests }: { text: string; requests?: readonly ServiceRequest[] }) {
  const [steps, setSteps] = useState<readonly PlanStep[]>();
  const [isMeasuring, setMeasuring] = useState(false);
  const [error, setError] = useState<string>();

  async function measure() {
    setMeasuring(true);
    try {
      setSteps(await post<readonly PlanStep[]>("plan", { text }, AbortSignal.timeout(600_000)));
    } catch (failure) {
      setError((failure as Error).message);
    } finally {
      setMeasuring(false);
    }
  }

  return (
    <Card title="How it went">
      <div className="grid gap-4 p-5 text-sm">
        {requests && requests.length > 0 ? (
          <ol className="grid gap-2.5" aria-label="What services were asked">
            {requests.map(({ server, request }, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the same may be asked twice.
              <li key={i} className="grid gap-0.5">
                <span className="text-soft">{server}</span>
                <code className="font-mono text-[13px] break-words">{request}</code>
              </li>
            ))}
          </ol>
        ) : (
          <p className="text-soft">No service was asked anything.</p>
        )}
        {steps && (
          <ol className="grid gap-1.5 border-t border-line pt-4" aria-label="Steps">
            {steps.map(({ depth, title, rows, milliseconds }, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: steps may be alike.
              <li key={i} className="flex justify-between gap-3">
                <span className="min-w-0 break-words">
                  <span aria-hidden="true" className="text-soft">
                    {"· ".repeat(depth)}
                  </span>
                  {title}
                </span>
                <span className="shrink-0 text-right text-soft tabular-nums">
                  {rows.toLocaleString("en")} {rows === 1 ? "row" : "rows"}, {milliseconds.toFixed(1)} ms
                </span>
              </li>
            ))}
          </ol>
        )}
        {error && <Failure title="It could not be measured">{error}</Failure>}
        {!steps && (
          <Button look="plain" onClick={measure} disabled={isMeasuring}>
            {isMeasuring ? "Running it again…" : "Run it again and time each step"}
          </Button>
        )}
      </div>
    </Card>
  );
}
