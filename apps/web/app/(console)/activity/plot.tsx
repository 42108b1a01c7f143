"use client";

import { useState } from "react";
import { Card } from "@/components/ui/card";

export interface Series {
  readonly name: string;
  readonly colour: "accent" | "warn" | "bad";
  /** One for each time; undefined where there is none. */
  readonly values: readonly (number | undefined)[];
}

const width = 600;
const height = 160;
const hourMs = 60 * 60 * 1000;
const shortestMs = 5 * 60 * 1000;

const strokes = { accent: "stroke-accent", warn: "stroke-warn", bad: "stroke-bad" };
const fills = { accent: "bg-accent", warn: "bg-warn", bad: "bg-bad" };

/** Lines over time. What the pointer is at, else the newest values, stands above them in words. */
export function Plot({
  title,
  end,
  times,
  series,
  format,
  unit = 10,
}: {
  title: string;
  /** The time at the right edge. */
  end: number;
  times: readonly number[];
  series: readonly Series[];
  format: (value: number) => string;
  /** 1024 where values are told in KiB, MiB and so on. */
  unit?: 10 | 1024;
}) {
  const [pointed, setPointed] = useState<number>();
  const start = Math.max(end - hourMs, Math.min(times[0] ?? end, end - shortestMs));
  const top = niceTop(
    Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0)), 0),
    unit,
  );
  const x = (time: number) => ((time - start) / (end - start)) * width;
  const y = (value: number) => height - (value / top) * height;
  const shown = pointed !== undefined && pointed < times.length ? pointed : times.length - 1;

  return (
    <Card
      title={title}
      action={
        <span className="text-sm text-soft tabular-nums">
          {pointed === undefined || times[shown] === undefined ? "now" : clock(times[shown])}
        </span>
      }
    >
      <div className="grid gap-3 p-5">
        <ul className="flex flex-wrap gap-x-5 gap-y-1 text-sm">
          {series.map(({ name, colour, values }) => (
            <li key={name} className="flex items-center gap-2">
              <span aria-hidden="true" className={`h-0.5 w-4 rounded-full ${fills[colour]}`} />
              <span className="text-soft">{name}</span>
              <span className="font-medium tabular-nums">
                {values[shown] === undefined ? "–" : format(values[shown])}
              </span>
            </li>
          ))}
        </ul>
        <div className="grid grid-cols-[minmax(0,1fr)_4.5rem] gap-x-2 text-xs text-soft tabular-nums">
          <svg
            viewBox={`0 0 ${width} ${height}`}
            preserveAspectRatio="none"
            className="h-40 w-full overflow-visible"
            aria-hidden="true"
            onPointerMove={(event) => {
              const { left, width: wide } = event.currentTarget.getBoundingClientRect();
              const time = start + ((event.clientX - left) / wide) * (end - start);
              setPointed(nearest(times, time));
            }}
            onPointerLeave={() => setPointed(undefined)}
          >
            <rect width={width} height={height} className="fill-transparent" />
            {[0, 0.5, 1].map((share) => (
              <line
                key={share}
                x2={width}
                y1={y(top * share)}
                y2={y(top * share)}
                className="stroke-line"
                vectorEffect="non-scaling-stroke"
              />
            ))}
            {series.map(({ name, colour, values }) => (
              <path
                key={name}
                d={pathOf(times, values, x, y)}
                fill="none"
                className={strokes[colour]}
                strokeWidth={1.75}
                strokeLinejoin="round"
                strokeLinecap="round"
                vectorEffect="non-scaling-stroke"
              />
            ))}
            {pointed !== undefined && times[pointed] !== undefined && (
              <line
                x1={x(times[pointed])}
                x2={x(times[pointed])}
                y2={height}
                className="stroke-edge"
                vectorEffect="non-scaling-stroke"
              />
            )}
          </svg>
          <div className="flex h-40 flex-col justify-between leading-none">
            <span>{format(top)}</span>
            <span>{format(top / 2)}</span>
            <span>{format(0)}</span>
          </div>
          <div className="mt-2 flex justify-between">
            <span suppressHydrationWarning>{clock(start)}</span>
            <span suppressHydrationWarning>{clock(end)}</span>
          </div>
        </div>
      </div>
    </Card>
  );
}

const clock = (time: number) => new Date(time).toLocaleTimeString("en-GB");

const steps = { 10: [1, 2, 5, 10], 1024: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1024] } as const;

/** A round number at or above the value: 1, 2 or 5 times a power of ten, of the unit. */
function niceTop(value: number, unit: 10 | 1024): number {
  if (value <= 0) return 1;
  const power = unit ** Math.floor(Math.log(value) / Math.log(unit));
  return steps[unit].map((step) => step * power).find((top) => top >= value) ?? unit * power;
}

/** A line for each stretch that has values. */
function pathOf(
  times: readonly number[],
  values: readonly (number | undefined)[],
  x: (time: number) => number,
  y: (value: number) => number,
): string {
  let path = "";
  let isOpen = false;
  for (const [i, value] of values.entries()) {
    if (value === undefined) isOpen = false;
    else {
      const at = `${x(times[i]!).toFixed(1)} ${y(value).toFixed(1)}`;
      // A stretch of one value is a dot.
      path += isOpen ? `L${at}` : `M${at}L${at}`;
      isOpen = true;
    }
  }
  return path;
}

function nearest(times: readonly number[], time: number): number | undefined {
  let best: number | undefined;
  for (const [i, one] of times.entries())
    if (best === undefined || Math.abs(one - time) < Math.abs(times[best]! - time)) best = i;
  return best;
}
