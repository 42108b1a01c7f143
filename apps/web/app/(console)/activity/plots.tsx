"use client";

import Link from "next/link";
import { useEffect, useState } from "react";
import { buttonClasses } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Empty, Failure } from "@/components/ui/states";
import { formatBytes } from "@/lib/format";
import type { Activity, Counts } from "@/lib/server/activity/history";
import type { Point } from "@/lib/server/activity/point";
import { count, milliseconds } from "./format";
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

const perSecond = (value: number) => `${count(value)}/s`;
const bytesPerSecond = (value: number) => `${formatBytes(value)}/s`;

const gatewayPlots: readonly PlotOf[] = [
  {
    title: "Requests",
    format: perSecond,
    series: [{ name: "answered", colour: "accent", of: ({ requests }) => requests }],
  },
  {
    title: "Bytes",
    format: bytesPerSecond,
    unit: 1024,
    series: [
      { name: "sent", colour: "accent", of: ({ sent }) => sent },
      { name: "received", colour: "warn", of: ({ received }) => received },
    ],
  },
  {
    title: "Errors",
    format: perSecond,
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

const drivePlots: readonly PlotOf[] = [
  {
    title: "Calls of drives",
    format: perSecond,
    series: [
      { name: "made", colour: "accent", of: ({ drives }) => drives?.calls },
      { name: "refused (4xx)", colour: "warn", of: ({ drives }) => drives?.refused },
      { name: "failed", colour: "bad", of: ({ drives }) => drives?.failed },
    ],
  },
  {
    title: "Throttling",
    format: perSecond,
    series: [
      { name: "asked for fewer calls", colour: "bad", of: ({ drives }) => drives?.throttled },
      { name: "made again", colour: "warn", of: ({ drives }) => drives?.repeated },
    ],
  },
  {
    title: "Waiting before calls",
    format: (value) => `${milliseconds(value * 1000)}/s`,
    series: [
      { name: "by all calls together", colour: "accent", of: ({ drives }) => drives?.waited },
      { name: "asked for by drives", colour: "warn", of: ({ drives }) => drives?.paused },
    ],
  },
];

const cachePlot: PlotOf = {
  title: "Block cache",
  format: bytesPerSecond,
  unit: 1024,
  series: [
    { name: "found in it", colour: "accent", of: ({ drives }) => drives?.hit },
    { name: "asked of drives", colour: "warn", of: ({ drives }) => drives?.missed },
  ],
};

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

  const { points, operations, drives, error } = activity;
  const all = [...gatewayPlots, ...(drives ? drivePlots : []), ...(drives?.cached ? [cachePlot] : [])];
  return (
    <>
      {error !== undefined && <Failure title="The last reading failed">{error}</Failure>}
      <div className="grid gap-6 lg:grid-cols-2">
        {all.map(({ title, format, unit, series }) => (
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
      <CountsCard title="Operations since the gateway started" counts={operations} />
      {drives ? (
        <CountsCard title="Calls of drives since the gateway started" counts={drives.calls} />
      ) : (
        <Card title="Drives">
          <Empty
            title="No remote drive is served"
            action={
              <Link href="/remotes" className={buttonClasses("plain")}>
                Add a remote
              </Link>
            }
          >
            Calls of OneDrive, Google Drive and Dropbox, how often these ask for fewer, and what the block
            cache saves would show here.
          </Empty>
        </Card>
      )}
    </>
  );
}

function CountsCard({ title, counts }: { title: string; counts: Counts }) {
  return (
    <Card title={title}>
      {counts.length === 0 ? (
        <Empty title="None yet" />
      ) : (
        <ul className="grid gap-x-10 gap-y-2 p-5 text-sm sm:grid-cols-2 lg:grid-cols-3">
          {counts.map(([name, times]) => (
            <li key={name} className="flex justify-between gap-4">
              <span className="truncate" title={name}>
                {name}
              </span>
              <span className="text-soft tabular-nums">{times.toLocaleString("en")}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
