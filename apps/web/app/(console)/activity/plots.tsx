"use client";

import { useEffect, useState } from "react";
import { Card } from "@/components/ui/card";
import { Empty, Failure } from "@/components/ui/states";
import type { Activity } from "@/lib/server/activity/history";
import type { Point } from "@/lib/server/activity/point";
import { bytes, count, milliseconds } from "./format";
import { Plot, type Series } from "./plot";

const refreshMs = 5000;
const mostPoints = 720;

interface PlotOf {
  readonly title: string;
  readonly format: (value: number) => string;
  readonly unit?: 1024;
  readonly series: readonly (Omit<Series, "values"> & {
    readonly of: (point: Point) => number | undefined;
  })[];
}

const plots: readonly PlotOf[] = [
  {
    title: "Requests",
    format: (value) => `${count(value)}/s`,
    series: [{ name: "answered", colour: "accent", of: ({ requests }) => requests }],
  },
  {
    title: "Bytes",
    format: (value) => `${bytes(value)}/s`,
    unit: 1024,
    series: [
      { name: "sent", colour: "accent", of: ({ sent }) => sent },
      { name: "received", colour: "warn", of: ({ received }) => received },
    ],
  },
  {
    title: "Errors",
    format: (value) => `${count(value)}/s`,
    series: [
      { name: "failed (5xx)", colour: "bad", of: ({ failed }) => failed },
      { name: "refused (4xx)", colour: "warn", of: ({ refused }) => refused },
    ],
  },
  {
    title: "Time to answer",
    format: milliseconds,
    series: [
      { name: "median", colour: "accent", of: ({ median }) => median },
      { name: "95 of 100 within", colour: "warn", of: ({ slow }) => slow },
    ],
  },
];

export function Plots({ first, now }: { first: Activity; now: number }) {
  const [activity, setActivity] = useState(first);
  const [end, setEnd] = useState(now);

  useEffect(() => {
    let after = first.points.at(-1)?.time ?? 0;
    const refresh = async () => {
      if (document.hidden) return;
      try {
        const response = await fetch(`/api/activity?after=${after}`, { signal: AbortSignal.timeout(4000) });
        if (!response.ok) throw new Error(`The console answers ${response.status}.`);
        const next = (await response.json()) as Activity;
        after = next.points.at(-1)?.time ?? after;
        setActivity((before) => ({ ...next, points: [...before.points, ...next.points].slice(-mostPoints) }));
        setEnd(Date.now());
      } catch {
        setActivity((before) => ({
          ...before,
          error: "The console does not answer. Does Overcoat still run?",
        }));
      }
    };
    const timer = setInterval(refresh, refreshMs);
    return () => clearInterval(timer);
  }, [first]);

  const { points, operations, error } = activity;
  return (
    <>
      {error !== undefined && <Failure title="The last reading failed">{error}</Failure>}
      <div className="grid gap-6 lg:grid-cols-2">
        {plots.map(({ title, format, unit, series }) => (
          <Plot
            key={title}
            title={title}
            end={end}
            format={format}
            unit={unit}
            times={points.map(({ time }) => time)}
            series={series.map(({ of, ...one }) => ({ ...one, values: points.map(of) }))}
          />
        ))}
      </div>
      <Card title="Operations since the gateway started">
        {operations.length === 0 ? (
          <Empty title="None yet" />
        ) : (
          <ul className="grid gap-x-10 gap-y-2 p-5 text-sm sm:grid-cols-2 lg:grid-cols-3">
            {operations.map(([name, times]) => (
              <li key={name} className="flex justify-between gap-4">
                <span className="truncate">{name}</span>
                <span className="text-soft tabular-nums">{times.toLocaleString("en")}</span>
              </li>
            ))}
          </ul>
        )}
      </Card>
    </>
  );
}
